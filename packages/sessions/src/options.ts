import type { Executor, Log, RunModels, Store, UsageLog, WorkspaceLimits } from '@opencode-gateway/contracts'
import type { RenewModel } from './queue/heritage.ts'
import type { CrashPoint, Observe } from './observation.ts'
import type { KeySeal } from './queue/run-keys.ts'

export interface SessionsOptions {
  store: Store & Pick<UsageLog, 'dropUsage'>
  /** By name; the first is the default. */
  executors: ReadonlyMap<string, Executor>
  log: Log
  /** Names this process in claims; another one after every start. */
  owner: string
  limits: SessionsLimits
  /** Told for which runs models are called; what was used is as the executor says where it is absent. */
  models?: RunModels | undefined
  /** Keeps the keys of runs over a restart; without it they are in memory alone. */
  keySeal?: KeySeal | undefined
  /** What later runs have of one that used a provider configuration; as it was then where it is absent. */
  renewModel?: RenewModel | undefined
  /** For metrics. */
  observe?: Observe
  /** For tests that kill the process at a named place. */
  crashPoint?(name: CrashPoint): void
}

export interface SessionsLimits {
  /** Runs that may work at the same time. */
  maxConcurrentRuns: number
  /** Runs that may wait while all that may work at the same time do. */
  maxQueuedRuns: number
  /** Of one session, behind the run of it that works. */
  maxQueuedRunsOfSession: number
  /** Of one tenant; no bound of their own when absent. */
  maxQueuedRunsOfTenant?: number | undefined
  /** Opening a session until the engine has it, milliseconds. */
  startTimeoutMs: number
  /** Copying a session and its workspace, milliseconds. */
  forkTimeoutMs: number
  /** How long a run may go without an event while no ask waits, unless its order says otherwise; milliseconds. */
  idleTimeoutMs: number
  /** How long an ask waits for its answer, unless the order says otherwise; milliseconds. */
  askTimeoutMs: number
  /** Finished model calls a run may make, sub-agents included; more is a loop. An order can only lower it. */
  maxModelCalls: number
  /** How long an aborted run may take to settle before it is given up, milliseconds. */
  cancelGraceMs: number
  /** How long events of ended runs are kept, milliseconds. */
  eventRetentionMs: number
  /** How long after its last change a session without an open run is closed, unless it says otherwise; milliseconds. */
  workspaceRetentionMs: number
  /** How long a closed session can be read after that, milliseconds. */
  sessionRetentionMs: number
  /** How long it is kept what models were used for in sessions that are forgotten, milliseconds. */
  usageRetentionMs: number
  /** How often it is looked for what is no longer kept, milliseconds. */
  sweepIntervalMs: number
  /** Deltas of one part are merged for at most this long, milliseconds. */
  mergeWindowMs: number
  /** … or until they have this many bytes. */
  mergeBytes: number
  /** Output of one run that is kept in the log; what comes after is cut off with a note. Bytes. */
  maxOutputBytes: number
  /** What a run may leave in its workspace, unless it found more there; not looked at unless given. */
  workspace?: WorkspaceLimits
}
