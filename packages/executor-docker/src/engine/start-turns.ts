/** Whose turn it is to start a container: many engines that start at once come up later than one after the other. */
export interface StartTurns {
  /**
   * Settles when it is the caller's turn, with what gives the turn back. Sessions have theirs in the order in which they
   * came, and before any container that is to wait for one. Throws the signal's reason.
   */
  take(who: 'session' | 'warm', options: TurnOptions): Promise<() => void>
}

export interface TurnOptions {
  signal: AbortSignal
  /** Told that the caller has to wait, and that it need not any more. */
  onWaiting?: ((waiting: boolean) => void) | undefined
}

interface Waiter {
  begin(): void
}

/** `max`: turns at the same time. One of them is always for sessions, where there is more than one. */
export function createStartTurns(max: number): StartTurns {
  const waiting = { session: new Set<Waiter>(), warm: new Set<Waiter>() }
  const taken = { session: 0, warm: 0 }
  const mostWarm = Math.max(1, max - 1)

  const isFree = (who: 'session' | 'warm'): boolean =>
    taken.session + taken.warm < max && (who === 'session' || taken.warm < mostWarm)

  const next = (): void => {
    for (const who of ['session', 'warm'] as const) {
      for (const waiter of waiting[who]) {
        if (!isFree(who)) break
        waiting[who].delete(waiter)
        waiter.begin()
      }
    }
  }

  const begin = (who: 'session' | 'warm'): (() => void) => {
    taken[who] += 1
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      taken[who] -= 1
      next()
    }
  }

  return {
    async take(who, { signal, onWaiting }) {
      signal.throwIfAborted()
      const isFirst = waiting.session.size === 0 && (who === 'session' || waiting.warm.size === 0)
      if (isFirst && isFree(who)) return begin(who)
      const { promise, resolve, reject } = Promise.withResolvers<() => void>()
      const waiter: Waiter = { begin: () => resolve(begin(who)) }
      const leave = (): void => {
        waiting[who].delete(waiter)
        reject(signal.reason)
        // It may have kept warm containers from theirs.
        next()
      }
      waiting[who].add(waiter)
      signal.addEventListener('abort', leave, { once: true })
      onWaiting?.(true)
      try {
        return await promise
      } finally {
        signal.removeEventListener('abort', leave)
        onWaiting?.(false)
      }
    },
  }
}
