import { errorTable, type Problem } from '@opencode-gateway/contracts'
import type { Failure } from './failure.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

export interface ProblemContext {
  /** Path of the request. */
  instance: string
  requestId: string
  /** Milliseconds since the epoch. */
  at: number
}

/** A failure as the body of an answer (RFC 9457, with the members of the older `{error, details, timestamp}` form). */
export function problemOf(failure: Failure, { instance, requestId, at }: ProblemContext): Problem {
  const { code, detail, details, retryable } = failure
  return {
    type: 'about:blank',
    title: errorTable[code].title,
    status: errorTable[code].status,
    detail,
    instance,
    code,
    error: detail,
    ...(details === undefined ? {} : { details: copy(details) }),
    request_id: requestId,
    timestamp: new Date(at).toISOString(),
    retryable,
  }
}

/** Headers that go with a failure. */
export function problemHeaders({ code, retryAfterMs }: Failure): Record<string, string> {
  return {
    'content-type': PROBLEM_TYPE,
    'cache-control': 'no-store',
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    ...(code === 'UNAUTHORIZED' ? { 'www-authenticate': 'Bearer realm="opencode-gateway"' } : {}),
  }
}

function copy(details: NonNullable<Failure['details']>): NonNullable<Problem['details']> {
  if ('field' in details) return { ...details }
  return details.map((detail) => ({ ...detail }))
}
