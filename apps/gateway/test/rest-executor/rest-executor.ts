import {
  ExecutorError,
  GatewayError,
  type Executor,
  type ExecutorCapabilities,
  type ExecutorHealth,
} from '@opencode-gateway/contracts'
import { createRestApi, fields, type RestApi } from './rest-api.ts'
import { createRestSession } from './rest-session.ts'

/**
 * What this client passes on. A wrap-up it says with the run and cannot steer itself; what a workspace begins with and
 * becomes belongs to requests of its own, which the tests of the gateway make.
 */
const PASSED_ON = ['model', 'agent', 'system_prompt', 'output_schema', 'permissions', 'interactive'] as const

/**
 * The gateway itself as an executor, over HTTP alone: what every executor behind it promises must hold in front of it.
 * A run goes on in the gateway while its client is away, whatever the engine survives.
 */
export async function connectRestExecutor(url: string): Promise<Executor> {
  const api = createRestApi(url)
  const capabilities = await readCapabilities(api)

  return {
    name: 'gateway',
    capabilities,
    async start(signal) {
      const health = await check(api, signal)
      if (!health.ok) throw new ExecutorError('EXECUTOR_UNAVAILABLE', health.reason ?? 'not ready')
    },
    check: (signal) => check(api, signal),
    async open({ sessionId }, { signal }) {
      signal.throwIfAborted()
      // Not given up half way: whether it was carried out would not be known.
      await orThere(api.request('POST', '/sessions', { body: { session_id: sessionId } }))
      if (signal.aborted) {
        await api.request('DELETE', `/sessions/${sessionId}`)
        throw signal.reason
      }
      return createRestSession(api, sessionId)
    },
    async attach(ref) {
      const { session_id: sessionId } = ref
      if (ref.executor !== 'gateway' || sessionId === undefined) return undefined
      try {
        const { body } = await api.request('GET', `/sessions/${sessionId}`)
        return body['closed'] === true ? undefined : createRestSession(api, sessionId)
      } catch (error) {
        if (error instanceof GatewayError && error.code === 'SESSION_NOT_FOUND') return undefined
        throw error
      }
    },
    sweep: () => Promise.reject(new Error('the gateway sweeps by itself')),
    async close() {},
  }
}

/** A session that was made and lost is there under its id. */
async function orThere(creating: Promise<unknown>): Promise<void> {
  try {
    await creating
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    if (error.code !== 'SESSION_EXISTS') throw new ExecutorError(error.code, error.message, { cause: error })
  }
}

async function check(api: RestApi, signal: AbortSignal): Promise<ExecutorHealth> {
  try {
    const { status, body } = await api.request('GET', '/ready', { signal })
    if (status === 200) return { ok: true }
    return { ok: false, reason: JSON.stringify(body['checks']) }
  } catch (error) {
    return { ok: false, reason: String(error) }
  }
}

async function readCapabilities(api: RestApi): Promise<ExecutorCapabilities> {
  const { body } = await api.request('GET', '/capabilities')
  const { isolation, shell, follow_ups: followUps, options } = fields(body['executor'])
  const honoured: readonly unknown[] = [options].flat()
  return {
    isolation: isolation === 'container' ? 'container' : 'none',
    shell: shell === true,
    followUps: followUps === true,
    survivesRestart: true,
    options: PASSED_ON.filter((option) => honoured.includes(option)),
  }
}
