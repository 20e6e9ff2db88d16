import { errorTable, GatewayError, type ErrorCode, type FieldProblem } from '@opencode-gateway/contracts'
import { fieldProblems, type SchemaError } from './field-problems.ts'
import { oneOrAll } from './one-or-all.ts'

/** What a client is told of an error, before it has the form of an answer. */
export interface Failure {
  code: ErrorCode
  /** What failed, the value, what to do. */
  detail: string
  details?: FieldProblem | readonly FieldProblem[]
  retryable: boolean
  retryAfterMs?: number
}

/** Codes of ours whose text is for the log, not for clients. */
const HIDDEN: ReadonlySet<ErrorCode> = new Set(['INTERNAL', 'STORE_UNAVAILABLE'])
/** When nothing better is known of a refusal that passes. */
const RETRY_AFTER_MS = 2000
const WAITING: ReadonlySet<number> = new Set([429, 503])

/** The framework's own texts repeat the URL: however long it is, and with its query, in which a token may stand. */
const PATH_TEXTS: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'The path of the URL cannot be decoded. Write a percent sign as %25.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the path is longer than any name or id. Send a shorter one.',
}

const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  FST_ERR_CTP_INVALID_JSON_BODY: 'INVALID_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'INVALID_JSON',
}

/** The closed set has a code for every error there is; what is not foreseen is INTERNAL. */
export function failureOf(err: unknown, contentType?: string): Failure {
  if (err instanceof GatewayError) return ownFailure(err)
  if (!(err instanceof Error)) return internal()
  const { validation, validationContext, code, statusCode }: FrameworkError = err
  if (validation !== undefined) {
    const details = fieldProblems(validation, validationContext ?? 'body')
    const detail = details.map(({ field, reason }) => `${field} ${reason}`).join('; ')
    return {
      code: 'INVALID_REQUEST',
      detail,
      details: oneOrAll(details),
      retryable: false,
    }
  }
  const known = FRAMEWORK_CODES[code ?? '']
  if (known !== undefined) return of(known, frameworkText(known, contentType))
  if (err instanceof SyntaxError && statusCode === 400)
    return of('INVALID_JSON', frameworkText('INVALID_JSON', contentType))
  const ofPath = PATH_TEXTS[code ?? '']
  if (ofPath !== undefined) return of('INVALID_REQUEST', ofPath)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return of('INVALID_REQUEST', `${err.message}.`)
  return internal()
}

interface FrameworkError extends Error {
  code?: string
  statusCode?: number
  validation?: readonly SchemaError[]
  validationContext?: string
}

function ownFailure({ code, message, details, retryable, retryAfterMs }: GatewayError): Failure {
  const { status, title } = errorTable[code]
  const afterMs = retryAfterMs ?? (retryable && WAITING.has(status) ? RETRY_AFTER_MS : undefined)
  return {
    code,
    detail: HIDDEN.has(code) ? `${title}. The log has the reason under the request id.` : message,
    retryable,
    ...(details === undefined ? {} : { details }),
    ...(afterMs === undefined ? {} : { retryAfterMs: afterMs }),
  }
}

const of = (code: ErrorCode, detail: string): Failure => ({ code, detail, retryable: errorTable[code].retryable })

const internal = (): Failure => ownFailure(new GatewayError('INTERNAL', ''))

function frameworkText(code: ErrorCode, contentType: string | undefined): string {
  switch (code) {
    case 'PAYLOAD_TOO_LARGE':
      return 'The body is larger than MAX_REQUEST_SIZE allows. Send less.'
    case 'UNSUPPORTED_MEDIA_TYPE': {
      const got =
        contentType === undefined ? 'no content type' : `the content type ${JSON.stringify(contentType.slice(0, 80))}`
      return `The body has ${got}. Send application/json; POST /run takes text/plain as well.`
    }
    default:
      return 'The body is not valid JSON. Correct it; POST /run takes a plain prompt as text/plain.'
  }
}
