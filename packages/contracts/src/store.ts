import type { AddRunResult, Admission, CreateResult, IdempotencyKey } from './admission.ts'
import type { CompleteData, EventBody, LogEvent } from './events.ts'
import type { ExecutorRef } from './executor.ts'
import type { NewRun, NewSession, PendingAsk, RunRow, SessionRow } from './rows.ts'
import type { RaisedLimit } from './shared-budget.ts'
import type { RunState, WireStatus } from './values.ts'
import type { WorkspaceFill } from './workspace.ts'

/** Proof that the writer owns the run. */
export interface Fence {
  sessionId: string
  runId: string
  epoch: number
}

/** What one write changes besides adding events. A terminal `state` needs `complete` and `endedAt`. */
export interface RunPatch {
  state?: RunState
  leaseUntil?: number
  promptedAt?: number
  endedAt?: number
  progress?: number
  currentTool?: string | null
  asks?: readonly PendingAsk[]
  complete?: CompleteData
  /** Raises of shared budgets, stored with the write: each adds to earlier ones of the same limit, setting and day. */
  raised?: readonly RaisedLimit[]
}

export interface AppendResult {
  firstSeq: number
  lastSeq: number
}

export interface EventQuery {
  sessionId: string
  /** Events with a greater seq. */
  after: number
  limit: number
  /** The page has at most this many bytes of data as JSON in UTF-8, but always its first event. */
  maxBytes?: number
}

export type EventPageResult =
  | { status: 'ok'; events: readonly LogEvent[]; firstSeq: number; lastSeq: number }
  | { status: 'expired'; firstSeq: number; lastSeq: number }
  | { status: 'ahead'; lastSeq: number }
  | { status: 'not_found' }

export interface SessionQuery {
  tenant: string
  status?: WireStatus
  executor?: string
  label?: { name: string; value: string }
  /** Sessions older than this one, by (createdAt, sessionId) descending. */
  before?: { createdAt: number; sessionId: string }
  limit: number
}

/** A queued run as the dispatcher needs it to decide the order. */
export interface QueuedRun {
  runId: string
  sessionId: string
  tenant: string
  createdAt: number
}

/**
 * Where sessions, runs and events live. Every write is durable when its promise resolves, and what resolves is visible
 * to every later read. Reads give `undefined` for what is not there; a change to a session that is not there throws
 * SESSION_NOT_FOUND. Lists are in the order in which the store took their runs in; a limit that is no whole number from
 * 0 throws INTERNAL, as does every other call that makes no sense. Everything else that goes wrong throws `GatewayError`
 * with STORE_UNAVAILABLE.
 */
export interface Store {
  /** Opens or creates the store and brings its schema up to date. Throws when another process has it. Idempotent. */
  open(): Promise<void>
  /** Waits for the writes under way; idempotent. */
  close(): Promise<void>
  /** A real write and a real read. */
  check(): Promise<void>

  /** Idempotency row, session, run `queued` and the first events (`status` pending) in one transaction. */
  createSession(session: NewSession, run: NewRun | undefined, admission: Admission): Promise<CreateResult>
  /**
   * What a key has led to, as `createSession` would answer it at `at`; undefined when it has led to nothing. For what is
   * made at some cost before its session is.
   */
  findCreated(
    key: IdempotencyKey,
    at: number,
  ): Promise<Extract<CreateResult, { status: 'replayed' | 'key_mismatch' }> | undefined>
  /** A further run of a session. With `rejectWhenBusy` the answer is `busy` while another run is not terminal. */
  addRun(run: NewRun, admission: Admission & { rejectWhenBusy: boolean }): Promise<AddRunResult>
  /**
   * Claims a run that is queued, is the oldest open run of its session, and is not to be cancelled, in a session that is
   * not closed: state `starting`, epoch + 1, attempts + 1, a `status` event. Undefined when it cannot be claimed.
   */
  claimRun(runId: string, claim: { owner: string; leaseUntil: number; at: number }): Promise<RunRow | undefined>
  /**
   * Puts a claimed run back into the queue at its old place: epoch + 1, a `status` event. Throws `FencedError` for a
   * former owner, and once the prompt may have reached the engine.
   */
  requeueRun(fence: Fence, at: number): Promise<void>
  /**
   * Takes over a non-terminal run at boot, whatever its state: owner and epoch + 1, the state stays. Undefined when it
   * has ended. Needed before `append` for a run of a former process.
   */
  adoptRun(runId: string, claim: { owner: string; leaseUntil: number; at: number }): Promise<RunRow | undefined>
  /**
   * Appends events with the next seqs and applies the patch, in one transaction. Throws `FencedError` when the epoch
   * is another one or the run has ended. An empty batch with a patch is fine; the result then has lastSeq = firstSeq - 1.
   * A terminal state comes with `complete`, `endedAt` and one `complete` event, the last of the batch, or not at all.
   * A run that waits in the queue can be written to as well, with the epoch it has.
   */
  append(fence: Fence, events: readonly EventBody[], at: number, patch?: RunPatch): Promise<AppendResult>
  /** Notes the wish to cancel on the runs of the session that are not terminal, or on `runId`; returns these, oldest first. */
  requestCancel(sessionId: string, at: number, runId?: string): Promise<readonly RunRow[]>

  /** Stores what `Executor.attach` finds the session by; one that had been released holds something again. */
  setRef(sessionId: string, ref: ExecutorRef): Promise<void>
  /** Notes a use of the session, from which its retention counts anew; false, and no change, once it is closed. */
  touchSession(sessionId: string, at: number): Promise<boolean>
  /** Idempotent: the first time stays. The credentials that its workspace began with are forgotten. */
  closeSession(sessionId: string, at: number): Promise<void>
  /** Idempotent: the first time stays. */
  setReleased(sessionId: string, at: number): Promise<void>

  getSession(sessionId: string): Promise<SessionRow | undefined>
  /** What the session's workspace begins with; apart from its row, since it may be long. */
  getFill(sessionId: string): Promise<WorkspaceFill | undefined>
  listSessions(query: SessionQuery): Promise<readonly SessionRow[]>
  getRun(runId: string): Promise<RunRow | undefined>
  /** Apart from its row, which is read far more often; undefined once the run has ended. */
  getRunKey(runId: string): Promise<string | undefined>
  /** The latest `limit` runs, oldest first. */
  listRuns(sessionId: string, limit: number): Promise<readonly RunRow[]>
  /** Runs that are not terminal, oldest first. For recovery and the dispatcher. */
  listOpenRuns(limit: number): Promise<readonly RunRow[]>
  /** Queued runs that `claimRun` would give, oldest first; of each tenant at most `limit`, so that none hides another. */
  listQueued(limit: number): Promise<readonly QueuedRun[]>
  /** How many runs are queued, those that may not be claimed yet included. */
  countQueued(): Promise<number>
  /** How many queued runs come before this one, plus one; undefined when it is not queued. */
  queuePosition(runId: string): Promise<number | undefined>
  /**
   * Sessions that may hold something of an executor, a ref or a workspace alone: all that are not released, oldest
   * first, after a session id.
   */
  listHeld(limit: number, after?: { createdAt: number; sessionId: string }): Promise<readonly SessionRow[]>

  readEvents(query: EventQuery): Promise<EventPageResult>
  /** Whether the log of the session, as far as it is kept, has an `ask` with this id. */
  wasAsked(sessionId: string, askId: string): Promise<boolean>
  /**
   * Drops the oldest events of each log whose runs ended before `before`, and idempotency rows past their time at `now`;
   * at most `limit` rows of each.
   */
  expire(before: number, now: number, limit: number): Promise<{ events: number; keys: number }>
  /**
   * Closes sessions that have no open run and whose retention is over at `now`, those that are over longest first;
   * returns them as they are then.
   */
  closeExpired(now: number, limit: number): Promise<readonly SessionRow[]>
  /**
   * Gives open sessions that were made before there was a retention one of `retentionMs`, which counts from `at`. Returns
   * how many got one, at most `limit`.
   */
  adoptRetention(retentionMs: number, at: number, limit: number): Promise<number>
  /**
   * Removes closed and released sessions that have not changed since `before`, the oldest first, with their events, runs
   * and idempotency keys. What they used of models stays counted by day, key and model. At most `limit` events, runs and
   * sessions together are removed; a session of which something is left can be read as before until the next call, its
   * log from the first event that is kept.
   */
  forget(before: number, limit: number): Promise<{ sessions: number; rows: number }>
}
