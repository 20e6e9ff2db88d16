import { withSignal } from '@opencode-gateway/contracts'

/** Lets those who name the same key go one after the other, in the order they came. */
export function createLock(): <T>(key: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<void>>()
  return async (key, signal, work) => {
    const before = last.get(key) ?? Promise.resolve()
    const { promise: done, resolve: release } = Promise.withResolvers<void>()
    const turn = before.then(() => done)
    last.set(key, turn)
    try {
      await withSignal(before, signal)
      return await work()
    } finally {
      release()
      if (last.get(key) === turn) last.delete(key)
    }
  }
}
