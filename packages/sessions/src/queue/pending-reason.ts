import type { PendingReason, RunRow } from '@opencode-gateway/contracts'

/** Why a run has not begun; undefined once it has. `runs`: all open ones of its session are among them. */
export function pendingReason(
  run: RunRow,
  { runs, isHeld }: { runs: readonly RunRow[]; isHeld: boolean },
): PendingReason | undefined {
  if (run.state === 'starting') return 'starting'
  if (run.state !== 'queued') return undefined
  if (runs.some(({ runId, complete }) => complete === undefined && runId !== run.runId)) return 'session_busy'
  if (isHeld) return 'session_held'
  return run.attempts > 0 ? 'requeued' : 'queued'
}
