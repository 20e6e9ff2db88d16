/**
 * Every error code the product can answer with, and the one HTTP status it has. Clients switch on the code, never on
 * the text. `retryable` says whether the same request may succeed later without a change.
 */
export const errorTable = {
  INVALID_REQUEST: { status: 400, title: 'Invalid request', retryable: false },
  INVALID_JSON: { status: 400, title: 'The body is not valid JSON', retryable: false },
  INVALID_CURSOR: { status: 400, title: 'The cursor cannot be read', retryable: false },
  CURSOR_AHEAD: { status: 400, title: 'The cursor is beyond the end of the log', retryable: false },
  ABSOLUTE_PATH_DENIED: { status: 400, title: 'The path is absolute', retryable: false },
  PARENT_DIRECTORY_DENIED: { status: 400, title: 'The path leaves the workspace', retryable: false },
  NULL_BYTE_DENIED: { status: 400, title: 'The path has a NUL in it', retryable: false },
  REPOSITORY_REFUSED: { status: 400, title: 'The repository may not be used', retryable: false },
  BUDGET_EXCEEDED: { status: 402, title: 'A budget of the run is used up', retryable: false },
  UNAUTHORIZED: { status: 401, title: 'A valid API key is required', retryable: false },
  FORBIDDEN: { status: 403, title: 'The API key may not do this', retryable: false },
  LINK_DENIED: { status: 403, title: 'The path leads through a link', retryable: false },
  SECRET_FILE_DENIED: { status: 403, title: 'The file looks like a secret', retryable: false },
  NOT_FOUND: { status: 404, title: 'No such route', retryable: false },
  SESSION_NOT_FOUND: { status: 404, title: 'No such session', retryable: false },
  FILE_NOT_FOUND: { status: 404, title: 'No such file', retryable: false },
  WORKSPACE_NOT_FOUND: { status: 404, title: 'The session has no workspace', retryable: false },
  SNAPSHOT_NOT_FOUND: { status: 404, title: 'What the workspace was then is not known', retryable: false },
  RUN_NOT_FOUND: { status: 404, title: 'No such run', retryable: false },
  ASK_NOT_FOUND: { status: 404, title: 'No such ask', retryable: false },
  PROVIDER_NOT_FOUND: { status: 404, title: 'No such provider configuration', retryable: false },
  PROVIDER_VERSION_NOT_FOUND: {
    status: 404,
    title: 'The provider configuration has no such version',
    retryable: false,
  },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The route does not have this method', retryable: false },
  NOT_ACCEPTABLE: { status: 406, title: 'The route cannot answer in that form', retryable: false },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive', retryable: true },
  RUN_TIMEOUT: { status: 408, title: 'The run reached its time limit', retryable: true },
  START_TIMEOUT: { status: 408, title: 'The run did not start in time', retryable: true },
  ASK_TIMEOUT: { status: 408, title: 'An ask was not answered in time', retryable: true },
  IDLE_TIMEOUT: { status: 408, title: 'The run went silent', retryable: true },
  SESSION_EXISTS: { status: 409, title: 'The session id is taken', retryable: false },
  SESSION_BUSY: { status: 409, title: 'The session is working on another run', retryable: true },
  SESSION_CLOSED: { status: 409, title: 'The session has been deleted', retryable: false },
  RUN_CANCELLED: { status: 409, title: 'The run was cancelled', retryable: false },
  NOTHING_TO_RETRY: { status: 409, title: 'The last run did not fail', retryable: false },
  FILE_EXISTS: { status: 409, title: 'There is such a file already', retryable: false },
  NOT_A_FILE: { status: 409, title: 'The path names no file', retryable: false },
  NOT_A_DIRECTORY: { status: 409, title: 'The path names no directory', retryable: false },
  DIRECTORY_NOT_EMPTY: { status: 409, title: 'The directory is not empty', retryable: false },
  PUSH_REJECTED: { status: 409, title: 'The remote did not take the branch', retryable: false },
  ASK_RESOLVED: { status: 409, title: 'The ask has its answer, or its run has ended', retryable: false },
  TOO_MANY_PROVIDERS: { status: 409, title: 'There may be no more provider configurations', retryable: false },
  CURSOR_EXPIRED: { status: 410, title: 'The events after this cursor are no longer kept', retryable: false },
  PRECONDITION_FAILED: { status: 412, title: 'What is there has changed', retryable: false },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large', retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body has an unsupported content type', retryable: false },
  RANGE_NOT_SATISFIABLE: { status: 416, title: 'The file has no such bytes', retryable: false },
  ARCHIVE_REFUSED: { status: 422, title: 'The archive may not be unpacked', retryable: false },
  REPOSITORY_NOT_FOUND: { status: 422, title: 'There is no such repository', retryable: false },
  REPOSITORY_AUTH: { status: 422, title: 'The git host refused the credentials', retryable: false },
  BRANCH_NOT_FOUND: { status: 422, title: 'The repository has no such branch', retryable: false },
  REPOSITORY_EMPTY: { status: 422, title: 'The repository has no commit', retryable: false },
  EXPECTATION_FAILED: { status: 417, title: 'The expectation of the request is not met', retryable: false },
  UNSUPPORTED_OPTION: { status: 422, title: 'The executor cannot honour an option', retryable: false },
  POLICY_TOO_WIDE: { status: 422, title: 'The permissions are wider than the gateway allows', retryable: false },
  RESOURCES_TOO_HIGH: { status: 422, title: 'A container may not use as much', retryable: false },
  IDEMPOTENCY_MISMATCH: { status: 422, title: 'The idempotency key belongs to another request', retryable: false },
  RATE_LIMITED: { status: 429, title: 'Too many requests', retryable: true },
  QUEUE_FULL: { status: 429, title: 'Too many runs are waiting', retryable: true },
  TOO_MANY_STREAMS: { status: 429, title: 'Too many open streams', retryable: true },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request headers are too large', retryable: false },
  INTERNAL: { status: 500, title: 'Internal error', retryable: true },
  RUN_FAILED: { status: 500, title: 'The run failed', retryable: true },
  MODEL_ERROR: { status: 500, title: 'The model provider answered with an error', retryable: true },
  MODEL_AUTH: { status: 500, title: 'The model provider refused the credentials', retryable: false },
  MODEL_NOT_FOUND: { status: 500, title: 'The engine does not know this model', retryable: false },
  MODEL_LOOP: { status: 500, title: 'The model was called again and again without an end', retryable: false },
  CONTEXT_OVERFLOW: { status: 500, title: 'The conversation is too long for the model', retryable: false },
  CONTENT_FILTERED: { status: 500, title: 'The model provider withheld the answer', retryable: false },
  OUTPUT_INVALID: { status: 500, title: 'The model did not produce the structured output', retryable: true },
  AGENT_NOT_FOUND: { status: 500, title: 'The engine does not know this agent', retryable: false },
  AGENT_STOPPED: { status: 500, title: 'The agent stopped before it had finished', retryable: true },
  PROVIDER_RATE_LIMITED: { status: 500, title: 'The model provider asks to wait too long', retryable: true },
  WORKSPACE_ERROR: { status: 500, title: 'The workspace cannot be used', retryable: true },
  CLONE_FAILED: { status: 502, title: 'The repository could not be cloned', retryable: true },
  PULL_REQUEST_FAILED: { status: 502, title: 'The pull request could not be opened', retryable: true },
  RUN_INTERRUPTED: { status: 503, title: 'The run was interrupted', retryable: true },
  ENGINE_LOST: { status: 503, title: 'The engine died during the run', retryable: true },
  CONTAINER_DIED: { status: 503, title: 'The container of the session ended during the run', retryable: true },
  OUT_OF_MEMORY: { status: 503, title: 'The container of the session had too little memory', retryable: true },
  PIDS_LIMIT: { status: 503, title: 'The container of the session had too many processes', retryable: true },
  DISK_FULL: { status: 507, title: 'There is no space left for the container of the session', retryable: true },
  IMAGE_UNAVAILABLE: { status: 503, title: 'The engine image is not there', retryable: true },
  TOO_MANY_CONTAINERS: { status: 503, title: 'All containers there may be are in use', retryable: true },
  EXECUTOR_UNAVAILABLE: { status: 503, title: 'The executor is unavailable', retryable: true },
  ENGINE_INCOMPATIBLE: { status: 503, title: 'The engine does not speak the expected protocol', retryable: false },
  STORE_UNAVAILABLE: { status: 503, title: 'The store is unavailable', retryable: true },
  OVERLOADED: { status: 503, title: 'The gateway is overloaded', retryable: true },
  WORKSPACE_FULL: { status: 507, title: 'The workspace is full', retryable: false },
  SHUTTING_DOWN: { status: 503, title: 'The gateway is shutting down', retryable: true },
} as const satisfies Record<string, { status: number; title: string; retryable: boolean }>

/** A code out of the closed set above. */
export type ErrorCode = keyof typeof errorTable

export const errorCodes = Object.keys(errorTable) as readonly ErrorCode[]

/** What is wrong with one field of a request. */
export interface FieldProblem {
  field: string
  reason: string
}

export interface GatewayErrorOptions {
  /** Overrides what the table says of the code. */
  retryable?: boolean
  /** How long a client should wait before it tries again, in milliseconds. */
  retryAfterMs?: number
  details?: FieldProblem | readonly FieldProblem[]
  cause?: unknown
}

/** The one error class that crosses package boundaries. `message` is for people: what failed, the value, what to do. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly details: FieldProblem | readonly FieldProblem[] | undefined

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? errorTable[code].retryable
    this.retryAfterMs = options.retryAfterMs
    this.details = options.details
  }
}

/** An executor could not start something. What started and then failed is an outcome, not an error. */
export class ExecutorError extends GatewayError {}

/** A write came from a former owner of the run, or the run has ended: the caller must stop writing at once. */
export class FencedError extends Error {
  readonly runId: string

  constructor(runId: string, reason: string) {
    super(`run "${runId}" no longer accepts this writer: ${reason}`)
    this.name = 'FencedError'
    this.runId = runId
  }
}

/**
 * Abort reason that means "let go": the caller stops watching, the agent goes on. Every other reason means "stop it".
 */
export class Detached extends Error {
  constructor(message = 'the gateway lets go of the run') {
    super(message)
    this.name = 'Detached'
  }
}
