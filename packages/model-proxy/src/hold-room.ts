/** Calls that wait for an answer to a budget ask have their bodies in memory: so many bytes of all runs together. */
export interface HoldRoom {
  /** Undefined when there is no room; disposed of when the call waits no more. */
  take(bytes: number): Disposable | undefined
}

export function createHoldRoom(maxBytes: number): HoldRoom {
  let held = 0
  return {
    take(bytes) {
      if (held + bytes > maxBytes) return undefined
      held += bytes
      return { [Symbol.dispose]: () => void (held -= bytes) }
    },
  }
}
