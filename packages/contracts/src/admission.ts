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
   * Runs that may work at the same time; none when absent. Those of these slots that are free count on top of the bounds
   * above: a run that can start at once does not wait in the queue.
   */
  slots?: number
  idempotency?: IdempotencyKey
}

/** No more runs may wait: by the bound of the session or the tenant, or by that of all when `of` is absent. */
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
