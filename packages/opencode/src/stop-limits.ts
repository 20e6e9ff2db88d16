export interface StopLimits {
  /** How long a session may take to stop, before its engine is ended. */
  stopTimeoutMs: number
  /** A call that is under way then may take so long. */
  lastCallMs: number
  /** How long the end of the engine may take. */
  killTimeoutMs: number
}

/** Shares out what a cancel may take altogether, the end of the engine included. */
export function stopLimits(cancelGraceMs: number): StopLimits {
  return {
    stopTimeoutMs: Math.round(cancelGraceMs * 0.6),
    lastCallMs: Math.round(cancelGraceMs * 0.05),
    killTimeoutMs: Math.round(cancelGraceMs * 0.25),
  }
}
