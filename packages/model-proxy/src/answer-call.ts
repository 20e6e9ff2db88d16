import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '@opencode-gateway/contracts'
import type { Dispatcher } from 'undici'
import { forward } from './forward.ts'
import { requestHeaders } from './headers.ts'
import type { ProxyLimits } from './limits.ts'
import { readBody } from './read-body.ts'
import { refusals, sendRefusal, type Refusal } from './refusal.ts'
import { readTarget } from './target.ts'
import type { Upstream } from './upstream.ts'

export interface AnswerOptions {
  upstreams: ReadonlyMap<string, Upstream>
  dispatcher: Dispatcher
  limits: ProxyLimits
  log: Log
  /** Counts every call that was not passed on. */
  onRefused(why: Refusal): void
}

/** Whether whoever calls may. */
export type Admit = (request: IncomingMessage) => boolean

/** Answers one call of an engine. Never rejects. */
export async function answerCall(
  request: IncomingMessage,
  response: ServerResponse,
  admit: Admit,
  options: AnswerOptions,
): Promise<void> {
  const { upstreams, dispatcher, limits, log, onRefused } = options
  const refuse = (why: Refusal): void => {
    const level = refusals[why].alarm ? 'warn' : 'info'
    log[level]({ why, provider: target?.provider }, 'a call of a model was not passed on')
    onRefused(why)
    sendRefusal(response, why)
  }
  const target = request.method === 'POST' ? readTarget(request.url ?? '') : undefined
  if (!admit(request)) return refuse('wrong_token')
  const upstream = target && upstreams.get(target.provider)
  if (!target || !upstream) return refuse('unknown_path')
  const body = await readBody(request, limits.maxRequestBytes).catch(() => 'broken' as const)
  if (body === 'broken') return void response.destroy()
  if (body === undefined) return refuse('too_large')
  const end = await forward({
    dispatcher,
    upstream,
    path: target.path,
    headers: requestHeaders(request.headers, upstream, body.length),
    body,
    response,
    maxAnswerBytes: limits.maxAnswerBytes,
  })
  if (end.kind === 'refused' || end.kind === 'broken') {
    log.warn({ provider: target.provider, end }, 'a call of a model did not go well')
  }
}
