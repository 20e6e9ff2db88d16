/** Conditions others wait for: whoever changes something says so, and every waiter looks again. */
export interface Watch {
  changed(): void
  /** Resolves with the first defined value of `check`; rejects with the signal's reason, or once closed. */
  until<T>(check: () => T | undefined, signal: AbortSignal): Promise<T>
  close(): void
}

export function createWatch(): Watch {
  const lookers = new Set<() => void>()
  const closing = new AbortController()
  const changed = (): void => {
    for (const look of lookers) look()
  }
  return {
    changed,
    async until<T>(check: () => T | undefined, signal: AbortSignal): Promise<T> {
      const either = AbortSignal.any([signal, closing.signal])
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const look = (): void => {
        try {
          const value = check()
          if (value !== undefined) resolve(value)
          else if (either.aborted) reject(either.reason)
        } catch (error) {
          reject(error)
        }
      }
      lookers.add(look)
      either.addEventListener('abort', look, { once: true })
      look()
      try {
        return await promise
      } finally {
        lookers.delete(look)
        either.removeEventListener('abort', look)
      }
    },
    close() {
      closing.abort(new Error('the scripted model is closed'))
    },
  }
}
