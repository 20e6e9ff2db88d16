import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AdmittedEngine, Log } from '@opencode-gateway/contracts'
import type { Accounts } from './accounts.ts'
import type { Connections } from './connections.ts'
import { forward } from './forward.ts'
import { requestHeaders } from './headers.ts'
import type { ProxyLimits } from './limits.ts'
import type { Meter } from './meter.ts'
import type { Meters } from './meters.ts'
import { modelName } from './model-name.ts'
import { readBody } from './read-body.ts'
import { refusals, sendRefusal, type Refusal } from './refusal.ts'
import { shapeCall, type Call } from './shape-call.ts'
import { readTarget, type Target } from './target.ts'
import type { Upstream } from './upstream.ts'
import { createUsageTap } from './usage-tap.ts'

export interface AnswerOptions {
  upstreams: ReadonlyMap<string, Upstream>
  accounts: Accounts
  meters: Meters
  connections: Connections
  limits: ProxyLimits
  log: Log
  /** Counts every call that was not passed on. */
  onRefused(why: Refusal): void
}

/** Who calls: an engine, whose header names one of its sessions, or the engine of one session alone. */
export type Caller = { engine: AdmittedEngine } | { sessionId: string }

/** How long the engine may take to tell whose sub-agent calls, milliseconds. */
const PARENT_TIMEOUT_MS = 10_000

/** How long a call waits for the run that is being found again, milliseconds. */
const RESUME_WAIT_MS = 10_000

/** Answers one call of an engine; what it rejects with is a fault of ours. */
export async function answerCall(
  request: IncomingMessage,
  response: ServerResponse,
  identify: (request: IncomingMessage) => Caller | undefined,
  options: AnswerOptions,
): Promise<void> {
  const { upstreams, connections, limits, log } = options
  const target = request.method === 'POST' ? readTarget(request.url ?? '') : undefined
  const refuse = (why: Refusal, message?: string): void => {
    const level = refusals[why].alarm ? 'warn' : 'info'
    log[level]({ why, provider: target?.provider }, 'a call of a model was not passed on')
    options.onRefused(why)
    sendRefusal(response, why, message)
  }
  const caller = identify(request)
  if (!caller) return refuse('wrong_token')
  const upstream = target && upstreams.get(target.provider)
  if (!target || !upstream) return refuse('unknown_path')
  // Nobody's body is held in memory who may not call at all.
  if ('sessionId' in caller && !isKnown(caller.sessionId, options)) return refuse('no_run')
  const [sessionId, body] = await Promise.all([
    sessionOf(caller, request, options),
    readBody(request, limits.maxRequestBytes).catch(() => 'broken' as const),
  ])
  if (body === 'broken') return void response.destroy()
  if (sessionId === undefined) return refuse('unknown_session')
  if (!isKnown(sessionId, options)) return refuse('no_run')
  if (body === undefined) return refuse('too_large')
  const meter = await meterOf(sessionId, options)
  if (!meter) return refuse('not_yet')
  const name = modelName(target, body)
  if (name === undefined) return refuse('not_readable')
  const shaped = shape({ upstream, path: target.path, body }, target, meter)
  if (!shaped) return refuse('not_readable')
  const model = nameInUsage(target, name, meter)
  const gone = new AbortController()
  const onGone = (): void => gone.abort()
  if (response.destroyed) onGone()
  response.once('close', onGone)
  const aborting = new AbortController()
  const requestBytes = shaped.body.length
  const call = await meter.admit({ model, requestBytes, gone: gone.signal, abort: () => aborting.abort() })
  response.off('close', onGone)
  if (call === 'left') return
  if ('refused' in call) return refuse(call.refused, call.message)

  const tap = createUsageTap(target.dialect)
  const end = await forward({
    connections,
    ...shaped,
    headers: requestHeaders(request.headers, shaped.upstream, requestBytes),
    response,
    maxAnswerBytes: limits.maxAnswerBytes,
    silenceTimeoutMs: limits.silenceTimeoutMs,
    tap,
    signal: aborting.signal,
  })
  tap.end()
  call.end(end, tap)
  const { origin } = shaped.upstream
  if (end.kind === 'answered' || end.kind === 'broken') meter.reach.reached(origin)
  if (end.kind === 'refused') {
    const { why, unreached } = end
    const message = unreached && `the provider "${model.split('/', 1)[0]}" could not be reached: ${unreached}`
    sendRefusal(response, unreached && meter.reach.missed(origin) ? 'unreached' : why, message)
  }
  if (end.kind === 'refused' || end.kind === 'broken') {
    log.warn({ provider: target.provider, sessionId, end }, 'a call of a model did not go well')
  }
  if (end.kind === 'broken' && end.why === 'too_large') {
    const message = `An answer of "${model}" has more than ${limits.maxAnswerBytes} bytes; it was broken off.`
    meter.stop({ code: 'MODEL_ERROR', message })
  }
}

const isKnown = (sessionId: string, { meters }: AnswerOptions): boolean =>
  meters.of(sessionId) !== undefined || meters.coming(sessionId) !== undefined

/** After a restart an engine may call before its run has been found again. Undefined when that takes too long. */
async function meterOf(sessionId: string, { meters }: AnswerOptions): Promise<Meter | undefined> {
  const coming = meters.coming(sessionId)
  if (coming && !meters.of(sessionId)) {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, RESUME_WAIT_MS)
    await Promise.race([coming, late])
    clearTimeout(timer)
  }
  return meters.of(sessionId)
}

function nameInUsage({ provider }: Target, model: string, { shape }: Meter): string {
  const { options } = shape ?? {}
  return (options?.provider === provider ? options.name : undefined) ?? `${provider}/${model}`
}

function shape(call: Call, target: Target, { shape }: Meter): Call | undefined {
  try {
    return shape ? shapeCall(call, target, shape) : call
  } catch {
    return undefined
  }
}

async function sessionOf(
  caller: Caller,
  { headers }: IncomingMessage,
  { accounts, log }: AnswerOptions,
): Promise<string | undefined> {
  if ('sessionId' in caller) return caller.sessionId
  const named = headers['x-session-id']
  if (typeof named !== 'string') return undefined
  try {
    return await accounts.find(caller.engine, named, AbortSignal.timeout(PARENT_TIMEOUT_MS))
  } catch (err) {
    log.warn({ err }, 'the engine does not tell for whom a session of it works')
    return undefined
  }
}
