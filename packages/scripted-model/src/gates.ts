import { createBoundedMap } from './bounded-map.ts'
import type { Watch } from './watch.ts'

export interface Gates {
  /** Waits until the gate is released; at once when it already is. */
  pass(name: string, signal: AbortSignal): Promise<void>
  release(name: string): void
  /** How many calls the gate holds. */
  held(name: string): number
}

const MAX_RELEASED = 1000

/** Named gates; a released gate stays open, so that a release before the call is not lost. */
export function createGates(watch: Watch): Gates {
  const released = createBoundedMap<true>(MAX_RELEASED)
  const held = new Map<string, number>()
  const count = (name: string, change: number): void => {
    const next = (held.get(name) ?? 0) + change
    if (next === 0) held.delete(name)
    else held.set(name, next)
    watch.changed()
  }
  return {
    async pass(name, signal) {
      if (released.get(name)) return
      count(name, 1)
      try {
        await watch.until(() => released.get(name), signal)
      } finally {
        count(name, -1)
      }
    },
    release(name) {
      released.set(name, true)
      watch.changed()
    },
    held: (name) => held.get(name) ?? 0,
  }
}
