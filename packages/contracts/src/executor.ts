import type { CallContext } from './call-context.ts'
import type { ErrorCode } from './errors.ts'
import type { EventBody } from './events.ts'
import type { ModelBudget } from './model-budget.ts'
import type { ModelOptions } from './models.ts'
import type { PermissionRules } from './permissions.ts'
import type { ContainerResources } from './resources.ts'
import type { RunOption } from './run-options.ts'
import type { CancelReceipt, Evidence, Usage } from './values.ts'
import type { Delivery, OnGit, WorkspaceFill, Workspaces } from './workspace.ts'

export interface ExecutorCapabilities {
  /** `none`: sessions share one trust domain. `container`: each session has its own. */
  isolation: 'none' | 'container'
  /** Carries out `ShellInput`. */
  shell: boolean
  /** A session can have more than one run. */
  followUps: boolean
  /** A run goes on in the engine while the gateway restarts, and `attach` finds it again. */
  survivesRestart: boolean
  options: readonly RunOption[]
}

/** Containers that were started before anybody asked for them. */
export interface WarmPoolState {
  ready: number
  starting: number
  /** Of the sessions so far that a warm container would have done for: those that had one, and those that had none. */
  claimed: number
  missed: number
}

export interface ExecutorHealth {
  ok: boolean
  /** For people, when not ok. Never contains a secret. */
  reason?: string
  /** `image`: id of what its containers are made from. */
  engine?: { version: string; mode: 'embedded' | 'remote' | 'container' | 'other'; image?: string }
  /** How often an engine had to be started again, since `start`. */
  restarts?: number
  /** Absent where nothing is started beforehand. */
  warm?: WarmPoolState
  /** Memory of the engine itself, bytes. */
  rssBytes?: number
}

/** What a session needs to be opened. */
export interface SessionSpec {
  sessionId: string
  title: string
  /** What the workspace begins with, when it is made. */
  fill?: WorkspaceFill
  /** Told while the workspace is filled. */
  onGit?: OnGit
  /** Told that it has to wait until others have been started, and that it need not any more: nobody's start takes that long. */
  onWaiting?: (waiting: boolean) => void
}

/** The session that another one begins as. */
export interface ForkSource {
  sessionId: string
  /** Absent: it has a workspace and has not been opened yet. */
  ref?: ExecutorRef
  /** What its container may use: the ref of one that was never opened does not tell. */
  resources?: ContainerResources
}

/** JSON, stored with the session: enough for `attach`. Only the executor that made it reads it. */
export type ExecutorRef = { readonly executor: string } & Readonly<Record<string, string>>

export interface PromptInput {
  kind: 'prompt'
  runId: string
  prompt: string
  /** "provider/model" */
  model?: string
  agent?: string
  systemPrompt?: string
  /** JSON Schema of the structured answer. */
  outputSchema?: Record<string, unknown>
  /** Rules that narrow what the executor allows; never widen it. */
  permissions?: PermissionRules
  /** The agent may ask: questions, and whatever the rules say `ask` to. Otherwise nothing asks. */
  interactive?: boolean
  modelOptions?: ModelOptions
  /** What becomes of the work in a repository once the run has completed. */
  delivery?: Partial<Pick<Delivery, 'message' | 'pullRequest'>> & Pick<Delivery, 'push'>
}

export interface ShellInput {
  kind: 'shell'
  runId: string
  command: string
}

export type RunInput = PromptInput | ShellInput

/** An answer to a permission request, or to a question. */
export type AskAnswer =
  | { reply: 'once' | 'always' | 'reject'; message?: string }
  | { answers: readonly (readonly string[])[] }
  | { reject: true }

/** An answer to a run that is at a limit of its budget: how much more it may use. */
export type BudgetAnswer = { raise: ModelBudget } | { stop: true }

/** What the log already holds of a run that we lost sight of. */
export interface RunProgress {
  input: RunInput
  /** Events of this run that are in the log, oldest first. */
  events: readonly EventBody[]
}

/** How a run ended, as the executor knows it. Deadlines belong to the caller, so `timed_out` is not here. */
export interface RunOutcome {
  status: 'completed' | 'failed' | 'cancelled' | 'interrupted'
  /** The whole answer after the prompt; for a command its standard output (bounded). */
  finalMessage: string
  /** Set unless completed. */
  error?: { code: ErrorCode; message: string; retryable: boolean }
  /** Of a command: its own exit code. Undefined when it was killed. */
  exitCode?: number
  structured?: unknown
  usage: Usage
  evidence: Evidence
}

/** How long the steps took in which a session's own engine came up. Milliseconds; absent where there was no such step. */
export interface EngineBoot {
  /** Milliseconds since the epoch. */
  beganAt: number
  /** Until it was its turn. */
  waitMs?: number
  /** Of an image that had gone. */
  pullMs?: number
  createMs?: number
  startMs?: number
  engineReadyMs?: number
}

/** Event types an executor may yield; `complete` and `status` changes of the run are the caller's. */
export type AgentEventBody = Exclude<EventBody, { type: 'complete' | 'status' }>
export type AgentEvent = AgentEventBody | { type: 'outcome'; outcome: RunOutcome }

export interface AgentSession {
  readonly ref: ExecutorRef
  /** Where the agent works, for people. */
  readonly workspacePath: string
  /** Of the engine it has at the moment; absent where sessions have none of their own. */
  boot?(): EngineBoot | undefined
  /**
   * Carries out one prompt or command. Yields events as they happen and ends with exactly one `outcome`, the last
   * item. One run at a time; a second one throws `SESSION_BUSY`. After the abort of `ctx.signal` or the consumer's
   * `return()` the engine is told to stop and has stopped when the iteration settles – except with a `Detached` reason,
   * which lets go of the engine without stopping it and ends the iteration without an outcome.
   *
   * How long an ask waits and who answered it is the caller's affair: `expires_at` of an `ask` and `by` of an
   * `ask_resolved` stand for nothing here, and the caller writes its own. An ask that was not answered when the run is
   * stopped goes with it, without an `ask_resolved`.
   */
  run(input: RunInput, ctx: CallContext): AsyncIterable<AgentEvent>
  /**
   * Watches a run that was going on when the caller lost sight of it: yields what is missing, then as `run`. An ask of
   * `progress.events` is not told again; one that got its answer meanwhile yields its `ask_resolved`.
   */
  resume(progress: RunProgress, ctx: CallContext): AsyncIterable<AgentEvent>
  /**
   * Hands an answer to the agent, which then goes on; the run yields `ask_resolved`. Throws ASK_NOT_FOUND when the
   * agent does not wait for it (any more), INVALID_REQUEST when the answer does not fit the ask, which then waits on.
   */
  answer(askId: string, answer: AskAnswer, ctx: CallContext): Promise<void>
  /** Tells the agent something while it works, as a person would who looks over its shoulder. No run begins. */
  steer(text: string, ctx: CallContext): Promise<void>
  /**
   * Stops whatever runs and settles when nothing of it works any more. The session itself is told first, then what
   * works below it, and all again while they work: a parent takes the end of its sub-agent for an answer and goes on.
   * What does not listen is ended by force. The run ends `cancelled`.
   */
  cancel(ctx: CallContext): Promise<CancelReceipt>
  /** Frees the session; idempotent. `workspace` keeps the files. A run that is going on is stopped. */
  release(keep: 'nothing' | 'workspace'): Promise<void>
}

export interface SweepReport {
  /** What was removed: directories, containers, processes. */
  removed: readonly string[]
  /** What is ours but could not be removed, and why. */
  failed: readonly { what: string; why: string }[]
}

/** Provides workspaces with an engine in them. A new one is a package, one row in the gateway, and a green conformance suite. */
export interface Executor {
  readonly name: string
  readonly capabilities: ExecutorCapabilities
  /** Absent where workspaces cannot be reached. */
  readonly workspaces?: Workspaces
  /** Idempotent. Throws `ExecutorError` when it cannot work: EXECUTOR_UNAVAILABLE or ENGINE_INCOMPATIBLE. */
  start(signal: AbortSignal): Promise<void>
  /** Readiness, proven by a real engine session made and deleted; cached briefly. Never throws. */
  check(signal: AbortSignal): Promise<ExecutorHealth>
  /** Throws `ExecutorError` when the session could not start; nothing is left behind then. */
  open(spec: SessionSpec, ctx: CallContext): Promise<AgentSession>
  /**
   * A session that begins as another one is, which has no run meanwhile: with a copy of its workspace, and with its
   * conversation if it has a ref. Throws `ExecutorError` as `open` does, ENGINE_LOST when the other session is gone,
   * WORKSPACE_FULL when its workspace is too large; nothing is left behind then. Absent where that is not possible.
   */
  fork?(
    source: ForkSource,
    spec: Omit<SessionSpec, 'fill' | 'onGit' | 'onWaiting'>,
    ctx: CallContext,
  ): Promise<AgentSession>
  /** After a restart: the session behind a stored ref, or undefined when it is gone. */
  attach(ref: ExecutorRef, ctx: CallContext): Promise<AgentSession | undefined>
  /** Removes what this executor owns and no session of `live` (session ids) needs. Touches nothing else. */
  sweep(live: ReadonlySet<string>, ctx: CallContext): Promise<SweepReport>
  /**
   * Stops what it started; idempotent. Afterwards nothing of it is left but kept workspaces. When `hurry` aborts, what
   * has not ended by then is ended by force.
   */
  close(hurry?: AbortSignal): Promise<void>
}
