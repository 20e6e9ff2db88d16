import type { ServerResponse } from 'node:http'
import { providerUnreachedStatus } from '@opencode-gateway/contracts'

interface RefusalKind {
  status: number
  alarm: boolean
  message: string
  /** The engine calls again then. */
  retryAfterSeconds?: number
}

/** Why a call is not passed on. Those the engine did not earn by mistake are worth an alarm. */
export const refusals = {
  unknown_path: { status: 403, alarm: true, message: 'this path leads to no model' },
  wrong_token: { status: 403, alarm: true, message: 'the token is not valid' },
  unknown_session: { status: 403, alarm: true, message: 'the call belongs to no session of this gateway' },
  no_run: { status: 403, alarm: true, message: 'no run of the session is going on' },
  not_yet: { status: 503, alarm: false, message: 'the run is being found again', retryAfterSeconds: 1 },
  held: { status: 503, alarm: false, message: 'too many calls wait for a budget', retryAfterSeconds: 5 },
  budget: { status: 403, alarm: false, message: 'a budget is used up' },
  too_large: { status: 413, alarm: false, message: 'the request is too large' },
  not_readable: { status: 400, alarm: false, message: 'the request cannot be read' },
  unsendable: { status: 400, alarm: false, message: "the provider's key or one of its headers cannot be sent" },
  unreached: { status: providerUnreachedStatus, alarm: false, message: 'the provider could not be reached' },
  unreachable: { status: 502, alarm: false, message: 'the provider could not be reached' },
  garbage: { status: 502, alarm: false, message: 'the provider answered with something that is no answer' },
  late: { status: 504, alarm: false, message: 'the provider did not answer in time' },
  stopping: { status: 503, alarm: false, message: 'the gateway stops' },
} as const satisfies Record<string, RefusalKind>

export type Refusal = keyof typeof refusals

/** Answers in a form that the SDK of every dialect reads. Nothing when an answer has begun: that one is broken off. */
export function sendRefusal(response: ServerResponse, why: Refusal, message: string = refusals[why].message): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, retryAfterSeconds }: RefusalKind = refusals[why]
  const error = { type: `proxy_${why}`, code: status, status: why.toUpperCase(), message: `model proxy: ${message}` }
  const body = JSON.stringify({ type: 'error', error })
  // The rest of a request that is not read would stand in the way of the next one.
  const rest = response.req.complete ? {} : { connection: 'close' }
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...rest,
  })
  response.end(body)
}
