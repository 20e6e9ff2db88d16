import type {
  CancelReceipt,
  EventPageResult,
  IdempotencyKey,
  LogEvent,
  ModelBudget,
  OnBusy,
  PendingAsk,
  PendingReason,
  PromptInput,
  RunRow,
  SessionQuery,
  SessionRow,
  ShellInput,
  Workspace,
  WorkspaceFill,
} from '@opencode-gateway/contracts'
import type { Answer, Answerer } from './run/asks.ts'

/** What a run is to do, before it has an id. */
export type RunOrder = (Omit<PromptInput, 'runId'> | Omit<ShellInput, 'runId'>) & OrderLimits

/** Times in milliseconds. What is absent is as `SessionsLimits` say. */
export interface OrderLimits {
  timeoutMs: number
  idleTimeoutMs?: number
  askTimeoutMs?: number
  maxModelCalls?: number
  budget?: ModelBudget
  /** At a limit the run asks, and may be raised to this at one of its own budget. */
  raisableTo?: ModelBudget
  /** The API key that orders it. */
  keyId?: string
  /** A key for the run's model. */
  modelKey?: string
  /** A prompt that says nothing of the model has that of the run before it. */
  inheritModel?: boolean
  wrapUp?: string
}

export interface CreateOrder {
  tenant: string
  requestId: string
  sessionId?: string
  executor?: string
  labels?: Readonly<Record<string, string>>
  /** What the workspace begins with. */
  fill?: WorkspaceFill
  run?: RunOrder
  oneShot?: boolean
  keepWorkspace?: boolean
  /** How long after its last change the session is closed, milliseconds. */
  retentionMs?: number
  idempotency?: IdempotencyKey
}

export interface ForkOrder {
  /** Those of the other session unless given. */
  labels?: Readonly<Record<string, string>>
  /** As for a session that is made. */
  retentionMs?: number
  idempotency?: IdempotencyKey
}

export interface RunAcceptance {
  session: SessionRow
  run: RunRow
  /** True when an idempotency key led to a run that was there already. */
  replayed: boolean
}

export interface CancelResult {
  session: SessionRow
  cancelledRuns: readonly string[]
  receipt: CancelReceipt
}

export interface WaitingAsk extends PendingAsk {
  runId: string
}

export interface SessionDetail {
  session: SessionRow
  /** The oldest first. */
  runs: readonly RunRow[]
  /** Of `runs` the one that works or begins next; the latest when all have ended. */
  current: RunRow | undefined
  /** Of the current run, while it is queued. */
  queuePosition: number | undefined
  /** Why runs have not begun, by their ids. */
  reasons: ReadonlyMap<string, PendingReason>
}

export interface ReadOptions {
  after: number
  limit: number
  maxBytes?: number
}

/**
 * The lifecycle of sessions and runs. Every method that takes a tenant answers SESSION_NOT_FOUND for another tenant's
 * session. Errors are `GatewayError`s.
 */
export interface Sessions {
  /** Recovers what a former process left, then starts to dispatch. */
  start(signal: AbortSignal): Promise<void>
  /** SESSION_EXISTS, QUEUE_FULL, IDEMPOTENCY_MISMATCH, UNSUPPORTED_OPTION, SHUTTING_DOWN. */
  create(order: CreateOrder): Promise<{ session: SessionRow; run: RunRow | undefined; replayed: boolean }>
  /** A further run: also SESSION_BUSY (onBusy `reject`) and SESSION_CLOSED. */
  addRun(
    tenant: string,
    sessionId: string,
    order: RunOrder & { onBusy: OnBusy; requestId: string; idempotency?: IdempotencyKey },
  ): Promise<RunAcceptance>
  /**
   * Settles when the run has ended, with its final row; throws the signal's reason when aborted first, and SHUTTING_DOWN
   * when the run waits in line for the next start of the gateway.
   */
  waitForRun(runId: string, signal: AbortSignal): Promise<RunRow>
  /** Cancels the current run and the queued ones, or just `runId`; idempotent. RUN_NOT_FOUND. */
  cancel(tenant: string, sessionId: string, runId?: string): Promise<CancelResult>
  /** `cancel`, then releases the workspace and closes the session; idempotent. */
  remove(tenant: string, sessionId: string): Promise<CancelResult>
  /** The latest run again, after it failed, timed out or was interrupted. NOTHING_TO_RETRY, SESSION_BUSY. */
  retry(tenant: string, sessionId: string, requestId: string): Promise<RunAcceptance>
  /** What the session's runs wait for an answer to, oldest first. */
  asks(tenant: string, sessionId: string): Promise<readonly WaitingAsk[]>
  /**
   * ASK_NOT_FOUND, ASK_RESOLVED, INVALID_REQUEST when the answer does not fit the ask, or raises a budget too far,
   * FORBIDDEN when it raises one that is the operator's and `by` may not; then the ask waits on.
   * EXECUTOR_UNAVAILABLE while the run has not been found again after a restart.
   */
  answer(tenant: string, sessionId: string, askId: string, answer: Answer, by?: Answerer): Promise<void>
  /**
   * The directory the session works in, also while no engine has the session. `make`: makes one when there is none.
   * WORKSPACE_NOT_FOUND, SESSION_CLOSED, UNSUPPORTED_OPTION where the executor's workspaces cannot be reached.
   */
  workspace(tenant: string, sessionId: string, options: { make: boolean }): Promise<Workspace>
  /**
   * Work that changes the workspace, which counts as use of the session. What `workspace` answers, and SESSION_CLOSED
   * when it is closed, or was by the end of the work.
   */
  changeWorkspace<T>(
    tenant: string,
    sessionId: string,
    options: { make: boolean },
    work: (workspace: Workspace) => Promise<T>,
  ): Promise<T>
  /**
   * Makes the workspace what it was at the start, or after a run; runs that come in meanwhile wait. SESSION_BUSY while a
   * run is open, SESSION_CLOSED, RUN_NOT_FOUND, SNAPSHOT_NOT_FOUND, and what `workspace` answers.
   */
  reset(tenant: string, sessionId: string, after: string | undefined, signal: AbortSignal): Promise<void>
  /**
   * A new session with a copy of the workspace and with the conversation; runs that come in meanwhile wait. SESSION_BUSY
   * while a run is open, SESSION_CLOSED, UNSUPPORTED_OPTION, IDEMPOTENCY_MISMATCH, ENGINE_LOST, WORKSPACE_NOT_FOUND,
   * WORKSPACE_FULL, SHUTTING_DOWN.
   */
  fork(
    tenant: string,
    sessionId: string,
    order: ForkOrder,
    signal: AbortSignal,
  ): Promise<{ session: SessionRow; replayed: boolean }>
  /** With its latest `shown` runs, and all that are open. A run's row is as large as its answer. */
  get(tenant: string, sessionId: string, shown?: number): Promise<SessionDetail>
  list(query: SessionQuery): Promise<readonly SessionRow[]>
  /** A page of the log. CURSOR_EXPIRED, CURSOR_AHEAD. */
  read(tenant: string, sessionId: string, options: ReadOptions): Promise<Extract<EventPageResult, { status: 'ok' }>>
  /**
   * Pages of the log after `after`, each as soon as it is durable, until `signal` aborts. The consumer's pace is the
   * pace of the reads: nothing is held for a slow one. Yields an empty page when the log has been read to its end and
   * no run of the session is open, so that the consumer can decide to leave; goes on when it does not.
   */
  follow(tenant: string, sessionId: string, options: ReadOptions & { signal: AbortSignal }): AsyncIterable<FollowPage>
  /** How many runs there are now. */
  load(): Promise<RunLoad>
  /** Whether new work is taken. */
  accepting(): boolean
  /** No new runs are started; settles when none is going on, or rejects with the signal's reason. */
  drain(signal: AbortSignal): Promise<void>
  /** Lets go of what still runs (it keeps its state in the store) and stops; idempotent. */
  close(): Promise<void>
}

export interface RunLoad {
  /** Have a slot. */
  working: number
  /** Wait for one. */
  queued: number
}

export interface FollowPage {
  events: readonly LogEvent[]
  /** No run of the session was open when the page was read and the page reaches the end of the log. */
  ended: boolean
}
