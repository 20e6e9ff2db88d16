import type { PendingReason, RunRow } from '@opencode-gateway/contracts'

/** Why a run has not begun; undefined once it has. `runs`: all open ones of its session are among them, the oldest first. */
export function pendingReason(
  run: RunRow,
  { runs, isHeld }: { runs: readonly RunRow[]; isHeld: boolean },
): PendingReason | undefined {
  if (run.state === 'starting') return 'starting'
  if (run.state !== 'queued') return undefined
  if (runs.find(({ complete }) => complete === undefined)?.runId !== run.runId) return 'session_busy'
  if (isHeld) return 'session_held'
  return run.attempts > 0 ? 'requeued' : 'queued'
}

/** Why those of the runs that have not begun have not, by their ids. */
export function pendingReasons(
  runs: readonly RunRow[],
  { isHeld }: { isHeld: boolean },
): ReadonlyMap<string, PendingReason> {
  return new Map(
    runs.flatMap((run) => {
      const reason = pendingReason(run, { runs, isHeld })
      return reason === undefined ? [] : [[run.runId, reason] as const]
    }),
  )
}
