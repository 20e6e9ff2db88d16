import type { AskData, CompleteData } from './events.ts'
import type { ExecutorRef, RunInput } from './executor.ts'
import type { ModelBudget } from './model-budget.ts'
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
  /** The oldest run that has not ended, which works or begins next; the latest when all have ended. */
  currentRunId: string | undefined
  /** Runs that have not ended. */
  openRuns: number
  /** State of the current run on the wire, `idle` without one. */
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
  /** At a limit of that it asks, and may be raised to this; without it the run ends. */
  raisableTo?: ModelBudget
  /** The API key that ordered the run, on whose account it is. */
  keyId?: string
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
export type NewRun = Pick<RunRow, 'runId' | 'sessionId' | 'tenant' | 'input' | 'limits' | 'requestId' | 'createdAt'> & {
  /** The key its model is called with; it opens for this run alone, and is forgotten when the run ends. */
  sealedKey?: string
}
