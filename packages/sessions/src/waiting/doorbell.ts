/**
 * Tells followers in this process that a session's log has grown. It carries no events: a follower that hears it reads
 * the log. A ring while nobody waits is kept until the next wait, so none is missed between a read and a wait.
 */
export interface Doorbell {
  ring(key: string): void
  /** Wakes everybody. */
  ringAll(): void
  listen(key: string): Listener
  /** Keys that somebody listens to. */
  size(): number
}

export interface Listener extends Disposable {
  /** Settles at the next ring, or at once when it rang since the last wait, or when the signal aborts. */
  heard(signal: AbortSignal): Promise<void>
}

export function createDoorbell(): Doorbell {
  const listeners = new Map<string, Set<() => void>>()
  return {
    ring(key) {
      for (const wake of listeners.get(key) ?? []) wake()
    },
    ringAll() {
      for (const set of listeners.values()) for (const wake of set) wake()
    },
    listen(key) {
      let rung = false
      let resolve: (() => void) | undefined
      const wake = () => {
        rung = true
        resolve?.()
      }
      const set = listeners.get(key) ?? new Set()
      listeners.set(key, set.add(wake))
      return {
        async heard(signal) {
          if (!rung && !signal.aborted) {
            await new Promise<void>((done) => {
              resolve = done
              signal.addEventListener('abort', wake, { once: true })
            })
            signal.removeEventListener('abort', wake)
          }
          rung = false
          resolve = undefined
        },
        [Symbol.dispose]() {
          set.delete(wake)
          if (set.size === 0 && listeners.get(key) === set) listeners.delete(key)
        },
      }
    },
    size: () => listeners.size,
  }
}
