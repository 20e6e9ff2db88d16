import type { ErrorCode } from '@opencode-gateway/contracts'

/** Plain: an error of ours does not cross to another thread as what it is. */
export interface SnapshotFailure {
  code: ErrorCode
  message: string
  retryable: boolean
}

/**
 * What fails in a thread of ours. The contracts are not loaded there, for half of the time a call takes would be theirs.
 */
export class SnapshotError extends Error {
  readonly failure: SnapshotFailure

  constructor(message: string, code: ErrorCode = 'WORKSPACE_ERROR') {
    super(message)
    this.failure = { code, message, retryable: false }
  }
}
