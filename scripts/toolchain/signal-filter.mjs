/** One key press arrives from the terminal and from npm within milliseconds; a person's second one takes longer. */
const SAME_REQUEST_MS = 500

/**
 * Tells one request to stop that arrives several times from a second, more impatient one.
 *
 * @returns {(signal: NodeJS.Signals, nowMs: number) => boolean} whether the signal repeats the one just seen
 */
export function createSignalFilter() {
  /** @type {Map<NodeJS.Signals, number>} */
  const seenAt = new Map()
  return (signal, nowMs) => {
    const previous = seenAt.get(signal)
    if (previous !== undefined && nowMs - previous < SAME_REQUEST_MS) return true
    seenAt.set(signal, nowMs)
    return false
  }
}
