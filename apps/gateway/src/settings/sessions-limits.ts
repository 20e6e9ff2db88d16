import type { SessionsLimits } from '@opencode-gateway/sessions'
import type { Config } from '../config.ts'

/** Deltas wait this long for others of their part: fewer rows, and no reader sees the difference. Milliseconds. */
const MERGE_WINDOW_MS = 40
const MERGE_BYTES = 4096

/** A large workspace takes a while to be copied, and runs of its session wait meanwhile. Milliseconds. */
const FORK_TIMEOUT_MS = 300_000

/** How often it is looked for what is no longer kept, milliseconds. */
const SWEEP_INTERVAL_MS = 60_000

export function sessionsLimits(config: Config): SessionsLimits {
  const { limits, eventRetentionMs, workspaceRetentionMs, sessionRetentionMs, usageRetentionMs } = config
  return {
    maxConcurrentRuns: limits.maxConcurrentRuns,
    maxQueuedRuns: limits.maxQueuedRuns,
    maxQueuedRunsOfSession: limits.maxQueuedRunsOfSession,
    maxQueuedRunsOfTenant: limits.maxQueuedRunsOfTenant,
    startTimeoutMs: limits.startTimeoutMs,
    forkTimeoutMs: FORK_TIMEOUT_MS,
    idleTimeoutMs: limits.idleTimeoutMs,
    askTimeoutMs: limits.askTimeoutMs,
    maxModelCalls: limits.maxModelCalls,
    cancelGraceMs: limits.cancelGraceMs,
    eventRetentionMs,
    workspaceRetentionMs,
    sessionRetentionMs,
    usageRetentionMs,
    sweepIntervalMs: Math.min(SWEEP_INTERVAL_MS, eventRetentionMs, workspaceRetentionMs, sessionRetentionMs),
    mergeWindowMs: MERGE_WINDOW_MS,
    mergeBytes: MERGE_BYTES,
    maxOutputBytes: limits.maxOutputBytes,
    workspace: limits.workspace,
  }
}
