import { setTimeout as sleep } from 'node:timers/promises'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log, PermissionRules } from '@opencode-gateway/contracts'
import { createEngineClient } from '@opencode-gateway/opencode'
import type { EngineClient, EngineLimits } from '@opencode-gateway/opencode'
import type { EngineSource } from './engine-source.ts'
import type { RemoteEngineOptions } from './options.ts'

export interface RemoteSourceOptions extends RemoteEngineOptions {
  log: Log
  permissions: PermissionRules
  healthIntervalMs: number
  maxRetries: number
  retryDelayMs: number
  limits?: Partial<EngineLimits>
}

/** An engine that somebody else runs. It is looked at regularly, so that its loss is in the log when it happens. */
export function createRemoteEngine(options: RemoteSourceOptions): EngineSource {
  const { log, url } = options
  const closing = new AbortController()
  let client: EngineClient | undefined
  let version: string | undefined
  let watching: Promise<void> = Promise.resolve()

  const connect = async (candidate: EngineClient, signal: AbortSignal): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        version = (await candidate.handshake(signal)).version
        return
      } catch (err) {
        const again = err instanceof ExecutorError && err.retryable && attempt < options.maxRetries
        if (!again) throw err
        log.warn({ err, attempt: attempt + 1 }, 'the engine does not answer; it is asked again')
        await sleep(options.retryDelayMs, undefined, { signal })
      }
    }
  }

  const watch = async (watched: EngineClient): Promise<void> => {
    let well = true
    while (!closing.signal.aborted) {
      await sleep(options.healthIntervalMs, undefined, { signal: closing.signal }).catch(() => undefined)
      if (closing.signal.aborted) return
      try {
        version = (await watched.handshake(closing.signal)).version
        if (!well) log.info({ version }, 'the engine answers again')
        well = true
      } catch (err) {
        if (well && !closing.signal.aborted) log.error({ err }, 'the engine does not answer')
        well = false
      }
    }
  }

  return {
    mode: 'remote',
    mark: undefined,
    version: () => version,
    vitals: () => ({}),
    async start(signal) {
      if (client) return
      const limits = options.limits === undefined ? {} : { limits: options.limits }
      const { username, password, permissions } = options
      const own = { username, password, permissions, configured: false }
      const candidate = createEngineClient({ baseUrl: url, log, ...own, ...limits })
      try {
        await connect(candidate, AbortSignal.any([signal, closing.signal]))
      } catch (error) {
        await candidate.close()
        throw error
      }
      client = candidate
      watching = watch(candidate)
      log.info({ version }, 'the remote engine is ready')
    },
    async acquire() {
      if (client && !closing.signal.aborted) return { client, release() {} }
      throw new ExecutorError('EXECUTOR_UNAVAILABLE', 'the executor was not started or is closed')
    },
    retain: (held) => (held === client && !closing.signal.aborted ? { client: held, release() {} } : undefined),
    async close() {
      closing.abort(new Error('the executor is closed'))
      await watching
      await client?.close()
    },
  }
}
