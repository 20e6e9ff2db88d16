import type { RunRow, SessionRow } from './rows.ts'

/** An `Idempotency-Key`, scoped to tenant and route; `digest` stands for the body. */
export interface IdempotencyKey {
  tenant: string
  route: string
  key: string
  digest: string
  /** Forgotten from this time on; measured by `createdAt` of what is to be made. */
  expiresAt: number
}

export interface Admission {
  /** Runs in state `queued` that the store takes over all tenants; above it the answer is `queue_full`. */
  maxQueued: number
  /** Of one session, behind the run of it that may be at work; no bound of its own when absent. */
  maxQueuedOfSession?: number
  /** Of one tenant; no bound of its own when absent. */
  maxQueuedOfTenant?: number
  /**
   * Runs that may be at work at once. As many more are taken as of these are free when the run comes in: it need not
   * wait. None when absent.
   */
  slots?: number
  idempotency?: IdempotencyKey
}

/** As many as may wait, by the bound of the session or the tenant; `of` is absent for that of all. */
export interface QueueFull {
  status: 'queue_full'
  queued: number
  of?: 'session' | 'tenant'
}

export type CreateResult =
  | { status: 'created'; session: SessionRow; run: RunRow | undefined }
  | { status: 'replayed'; session: SessionRow; run: RunRow | undefined }
  | { status: 'exists' }
  | { status: 'key_mismatch' }
  | QueueFull

export type AddRunResult =
  | { status: 'created'; run: RunRow }
  | { status: 'replayed'; run: RunRow }
  | { status: 'not_found' }
  | { status: 'closed' }
  | { status: 'busy'; runId: string }
  | { status: 'key_mismatch' }
  | QueueFull
