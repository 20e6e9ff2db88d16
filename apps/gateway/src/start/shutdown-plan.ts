/** How the time from the signal to the end of the process is used. Milliseconds. */
export interface ShutdownPlan {
  /** For runs to end by themselves. */
  drainMs: number
  /** For everything after that; with `drainMs` all there is. */
  closeMs: number
  /** Of `closeMs`: for the last answers to leave. */
  lastAnswersMs: number
  /** Of `closeMs`: from then on nothing is waited for that does not end, and the engine is ended by force. */
  hurryMs: number
}

/** Ending an engine takes well below a second; the rest is for a machine that is busy. */
const CLOSE_MS = 5000
/** Of a short grace time, so that closing has enough even then. */
const CLOSE_SHARE = 0.75

/** Whoever stops us ends us by force after the grace time: closing has its share of it, and not a time of its own. */
export function shutdownPlan(graceMs: number): ShutdownPlan {
  const closeMs = Math.min(CLOSE_MS, Math.floor(graceMs * CLOSE_SHARE))
  const share = (part: number) => Math.floor(closeMs * part)
  return { drainMs: graceMs - closeMs, closeMs, lastAnswersMs: share(0.3), hurryMs: share(0.6) }
}
