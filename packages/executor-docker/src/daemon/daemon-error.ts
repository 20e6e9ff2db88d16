import { ExecutorError } from '@opencode-gateway/contracts'
import type { ErrorCode } from '@opencode-gateway/contracts'

/** A call of the Docker daemon failed. `status`: that of its answer, when there was one. */
export class DaemonError extends ExecutorError {
  readonly status: number | undefined

  constructor(code: ErrorCode, message: string, options: { status?: number | undefined; cause: unknown }) {
    super(code, message, { cause: options.cause })
    this.status = options.status
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; is Docker running, and does DOCKER_HOST name its socket?',
  ECONNREFUSED: 'nobody listens there; is Docker running?',
  EACCES: 'this user may not open the socket; add it to the group that owns it (DOCKER_GID with compose)',
}

/** What a failed call means. `where`: the daemon's address, for people. */
export function daemonError(what: string, where: string, cause: unknown): DaemonError {
  const { code, statusCode, reason, message } = partsOf(cause)
  if (statusCode === undefined) {
    const why = ADVICE[code ?? ''] ?? (message || 'no answer')
    return new DaemonError('EXECUTOR_UNAVAILABLE', `the Docker daemon at ${where} could not ${what}: ${why}`, { cause })
  }
  const text = `the Docker daemon could not ${what} (HTTP ${statusCode}): ${reason}`
  const options = { status: statusCode, cause }
  if (/no space left on device/i.test(reason)) return new DaemonError('DISK_FULL', text, options)
  if (/no available .*addresses/i.test(reason)) {
    const advice = 'the network of the containers (DOCKER_NETWORK) is full; give it a larger subnet, or none at all'
    return new DaemonError('TOO_MANY_CONTAINERS', `${text}; ${advice}`, options)
  }
  return new DaemonError('EXECUTOR_UNAVAILABLE', text, options)
}

export function lateError(what: string, where: string, timeoutMs: number): DaemonError {
  const text = `the Docker daemon at ${where} did not ${what} within ${timeoutMs} ms`
  return new DaemonError('EXECUTOR_UNAVAILABLE', text, { cause: undefined })
}

export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof DaemonError && error.status !== undefined && statuses.includes(error.status)
}

function partsOf(cause: unknown): { code?: string; statusCode?: number; reason: string; message: string } {
  if (!(cause instanceof Error)) return { reason: String(cause), message: String(cause) }
  const fields = cause as Error & { code?: unknown; statusCode?: unknown; json?: unknown }
  const json = fields.json
  const told = typeof json === 'object' && json !== null && 'message' in json ? String(json.message) : cause.message
  return {
    message: cause.message,
    reason: told.trim(),
    ...(typeof fields.code === 'string' ? { code: fields.code } : {}),
    ...(typeof fields.statusCode === 'number' ? { statusCode: fields.statusCode } : {}),
  }
}
