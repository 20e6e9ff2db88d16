import { withSignal } from '@opencode-gateway/contracts'

/**
 * Sessions whose workspace is being put back, copied or removed: no run of theirs begins meanwhile, what comes in waits
 * in the queue. A hold lives in this process, as the store's only one, and ends with it at the latest.
 */
export interface Holds {
  /** Somebody holds the session, or is about to. */
  has(sessionId: string): boolean
  /**
   * Settles when nobody else holds the session; it is free again when the hold is disposed of. From the call on no run
   * is claimed: whoever then finds none open knows that none begins. Rejects with the signal's reason.
   */
  take(sessionId: string, signal: AbortSignal): Promise<Disposable>
}

/** `onFree`: nobody holds the session any more. */
export function createHolds(onFree: (sessionId: string) => void): Holds {
  const last = new Map<string, Promise<void>>()

  return {
    has: (sessionId) => last.has(sessionId),
    async take(sessionId, signal) {
      signal.throwIfAborted()
      const before = last.get(sessionId) ?? Promise.resolve()
      const { promise: free, resolve } = Promise.withResolvers<void>()
      const turn = before.then(() => free)
      last.set(sessionId, turn)
      const release = (): void => {
        resolve()
        if (last.get(sessionId) !== turn) return
        last.delete(sessionId)
        onFree(sessionId)
      }
      try {
        await withSignal(before, signal)
        return { [Symbol.dispose]: release }
      } catch (error) {
        // Whoever holds it goes on doing so: the turn is over when it comes.
        void before.then(release)
        throw error
      }
    },
  }
}
