import { ExecutorError } from '@opencode-gateway/contracts'
import type { ErrorCode } from '@opencode-gateway/contracts'
import { cleanText, readFault } from './read-fault.ts'

export interface EngineCallErrorOptions {
  code: ErrorCode
  message: string
  /** HTTP status, when the engine answered. */
  status?: number
  cause?: unknown
}

/** A call to the engine failed. */
export class EngineCallError extends ExecutorError {
  readonly status: number | undefined

  constructor({ code, message, status, cause }: EngineCallErrorOptions) {
    super(code, message, { cause })
    this.status = status
  }
}

/** What an answer of the engine with a status of 400 or more means. `body` is its parsed or plain body. */
export function answerError(what: string, status: number, body: unknown): EngineCallError {
  if (status === 401 || status === 403) {
    return new EngineCallError({
      code: 'EXECUTOR_UNAVAILABLE',
      message: `the engine refused our credentials (HTTP ${status}); check OPENCODE_SERVER_USERNAME and OPENCODE_SERVER_PASSWORD`,
      status,
    })
  }
  const fault = readFault(body)
  const text = fault?.message ?? (typeof body === 'string' && body !== '' ? cleanText(body) : 'no reason given')
  const code = status === 404 ? 'SESSION_NOT_FOUND' : status === 409 ? 'SESSION_BUSY' : 'EXECUTOR_UNAVAILABLE'
  return new EngineCallError({ code, message: `the engine answered ${what} with HTTP ${status}: ${text}`, status })
}

/** The answer came from something that does not speak the protocol of this engine. */
export function strangeAnswer(what: string, contentType: string): EngineCallError {
  return new EngineCallError({
    code: 'ENGINE_INCOMPATIBLE',
    message:
      `${what} was answered with "${contentType}" where JSON was due: ` +
      'this is not an OpenCode server of the 1.x line, or a proxy stands before it',
  })
}

/** No answer at all. */
export function silence(what: string, cause: unknown): EngineCallError {
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause)
  return new EngineCallError({
    code: 'EXECUTOR_UNAVAILABLE',
    message: `the engine did not answer ${what}: ${cleanText(reason)}`,
    cause,
  })
}
