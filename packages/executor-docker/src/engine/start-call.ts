/** What a start is told by those who wait for it. */
export interface StartCall {
  signal: AbortSignal
  /** Aborted when nobody waits for it any more: a start that has not begun by then does not begin. */
  unwanted?: AbortSignal
  /** Told that it has to wait until others have started, and that it need not any more. */
  onWaiting?: (waiting: boolean) => void
}

/** Aborted when a start that has not begun is not to begin. */
export function whileWanted({ signal, unwanted }: StartCall): AbortSignal {
  return unwanted ? AbortSignal.any([signal, unwanted]) : signal
}
