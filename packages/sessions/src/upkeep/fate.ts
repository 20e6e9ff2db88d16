import type { RunRow } from '@opencode-gateway/contracts'

/** What becomes of a run that a former process left. */
export type Fate = 'leave' | 'requeue' | 'resume' | 'interrupt' | 'cancel'

/** How often a run is started before it is given up. */
export const maxAttempts = 3

/** Pure: before the barrier a run may start again, after it only be found again. */
export function decideFate(run: RunRow, engineHasIt: boolean): Fate {
  if (run.state === 'queued') return run.cancelRequestedAt === undefined ? 'leave' : 'cancel'
  if (engineHasIt && run.promptedAt !== undefined) return 'resume'
  if (run.cancelRequestedAt !== undefined) return 'cancel'
  if (run.promptedAt !== undefined) return 'interrupt'
  return run.attempts < maxAttempts ? 'requeue' : 'interrupt'
}
