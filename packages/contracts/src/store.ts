import type { AskData, CompleteData, EventBody, LogEvent } from './events.ts'
import type { ExecutorRef, RunInput } from './executor.ts'
import type { ModelBudget } from './models.ts'
import type { RunState, WireStatus } from './values.ts'
import type { WorkspaceFill } from './workspace.ts'

/** Times are milliseconds since the epoch. */
export interface SessionRow {
  sessionId: string
  tenant: string
  executor: string
  title: string
  labels: Readonly<Record<string, string>>
  createdAt: number
  updatedAt: number
  /** Set once the session has been opened. */
  ref: ExecutorRef | undefined
  /** Made by `POST /run`: released as soon as its run has ended, unless `keepWorkspace`. */
  oneShot: boolean
  keepWorkspace: boolean
  /** How long after its last change a session without an open run is closed, milliseconds; undefined: never. */
  retentionMs: number | undefined
  closedAt: number | undefined
  /** When the executor gave back what the session held. */
  releasedAt: number | undefined
  /** Seq of the newest event, 0 for none. */
  lastSeq: number
  /** Seq of the oldest event that is still kept, `lastSeq + 1` when none is. */
  firstSeq: number
  latestRunId: string | undefined
  /** Runs that have not ended. */
  openRuns: number
  /** State of the latest run on the wire, `idle` without one. */
  status: WireStatus
}

/** What a run may use. Times in milliseconds. */
export interface RunLimits {
  /** From the prompt to the end. */
  wallMs: number
  /** Without an event, while no ask waits. */
  idleMs: number
  /** For the answer to an ask. */
  askMs: number
  /** Finished calls of the model, sub-agents included. */
  modelCalls: number
  /** What it may use of models; absent in runs of before there was one. */
  budget?: ModelBudget
  /** Told to the agent at two thirds of the wall limit, when set. */
  wrapUp?: string
}

/** An ask that has no answer yet. */
export interface PendingAsk {
  askId: string
  expiresAt: number
  data: AskData
}

export interface RunRow {
  runId: string
  sessionId: string
  tenant: string
  input: RunInput
  state: RunState
  /** Fencing number: 0 at first, raised by each claim, adoption and requeue. Writes with another one fail. */
  epoch: number
  owner: string | undefined
  leaseUntil: number | undefined
  /** How often it was claimed. */
  attempts: number
  limits: RunLimits
  requestId: string
  createdAt: number
  claimedAt: number | undefined
  /** The barrier: when the first prompt was about to reach the engine. Undefined: it is safe to start again. */
  promptedAt: number | undefined
  endedAt: number | undefined
  cancelRequestedAt: number | undefined
  progress: number
  currentTool: string | undefined
  /** What the agent waits for an answer to. */
  asks: readonly PendingAsk[]
  /** Set when the run has ended. */
  complete: CompleteData | undefined
}

export type NewSession = Pick<
  SessionRow,
  'sessionId' | 'tenant' | 'executor' | 'title' | 'labels' | 'createdAt' | 'oneShot' | 'keepWorkspace'
> & {
  /** What its workspace begins with. */
  fill?: WorkspaceFill
  retentionMs?: number
  /** It is open already, and holds what it has from the beginning. */
  ref?: ExecutorRef
}
export type NewRun = Pick<RunRow, 'runId' | 'sessionId' | 'tenant' | 'input' | 'limits' | 'requestId' | 'createdAt'>

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
  /**
   * Runs that may be at work at once. As many more are taken as of these are free when the run comes in: it need not
   * wait. None when absent.
   */
  slots?: number
  idempotency?: IdempotencyKey
}

export type CreateResult =
  | { status: 'created'; session: SessionRow; run: RunRow | undefined }
  | { status: 'replayed'; session: SessionRow; run: RunRow | undefined }
  | { status: 'exists' }
  | { status: 'key_mismatch' }
  | { status: 'queue_full'; queued: number }

export type AddRunResult =
  | { status: 'created'; run: RunRow }
  | { status: 'replayed'; run: RunRow }
  | { status: 'not_found' }
  | { status: 'closed' }
  | { status: 'busy'; runId: string }
  | { status: 'key_mismatch' }
  | { status: 'queue_full'; queued: number }

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
   * Takes a run that is queued, is the oldest of its open session's non-terminal runs, and is not wanted dead:
   * state `starting`, epoch + 1, attempts + 1, a `status` event. Undefined when it cannot be had.
   */
  claimRun(runId: string, claim: { owner: string; leaseUntil: number; at: number }): Promise<RunRow | undefined>
  /** Back into the queue at its old place, epoch + 1; a `status` event. Throws `FencedError`, after the barrier too. */
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

  /** The session holds something of its executor that can be attached to, again when it had been released. */
  setRef(sessionId: string, ref: ExecutorRef): Promise<void>
  /** Idempotent: the first time stays. The credentials that its workspace began with are forgotten. */
  closeSession(sessionId: string, at: number): Promise<void>
  /** Idempotent: the first time stays. */
  setReleased(sessionId: string, at: number): Promise<void>

  getSession(sessionId: string): Promise<SessionRow | undefined>
  /** What the session's workspace begins with; apart from its row, since it may be long. */
  getFill(sessionId: string): Promise<WorkspaceFill | undefined>
  listSessions(query: SessionQuery): Promise<readonly SessionRow[]>
  getRun(runId: string): Promise<RunRow | undefined>
  /** The latest `limit` runs, oldest first. */
  listRuns(sessionId: string, limit: number): Promise<readonly RunRow[]>
  /** Runs that are not terminal, oldest first. For recovery and the dispatcher. */
  listOpenRuns(limit: number): Promise<readonly RunRow[]>
  /** Queued runs that `claimRun` would give, oldest first. */
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
   * Removes closed and released sessions that have not changed since `before`, the oldest first, with their events, runs
   * and idempotency keys: then they have never been there, but what they used of models stays counted. At most `limit`
   * events, runs and sessions together; what a session has left until the next call is read as before, its log from the
   * first event that is kept.
   */
  forget(before: number, limit: number): Promise<{ sessions: number; rows: number }>
}
