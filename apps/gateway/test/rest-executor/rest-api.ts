import { errorCodes, GatewayError } from '@opencode-gateway/contracts'

export interface RestAnswer {
  status: number
  headers: Headers
  body: Record<string, unknown>
}

/** A client of the gateway's HTTP interface that knows nothing but the wire. */
export interface RestApi {
  readonly url: string
  /** Throws a `GatewayError` with the code of the problem when the answer is one. */
  request(method: string, path: string, options?: RestRequest): Promise<RestAnswer>
}

export interface RestRequest {
  body?: Readonly<Record<string, unknown>>
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
}

/** Longest wait for an answer to a request that does not wait for a run, milliseconds. */
const ANSWER_MS = 20_000

export function createRestApi(url: string): RestApi {
  return {
    url,
    async request(method, path, { body, headers = {}, signal } = {}) {
      const late = AbortSignal.timeout(ANSWER_MS)
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer = { status: response.status, headers: response.headers, body: fields(await response.json()) }
      if (response.headers.get('content-type')?.startsWith('application/problem+json')) throw problem(answer)
      return answer
    },
  }
}

function problem({ status, body }: RestAnswer): GatewayError {
  const { code, detail, retryable } = body
  const known = errorCodes.find((candidate) => candidate === code)
  if (known === undefined) throw new Error(`status ${status} with the code ${JSON.stringify(code)}, which is none`)
  return new GatewayError(known, String(detail), { retryable: retryable === true })
}

/** A JSON object; fails when it is something else. */
export function fields(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${JSON.stringify(value)} is no object`)
  }
  return { ...value }
}
