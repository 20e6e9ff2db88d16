/** Lets those who name the same key go one after the other, in the order they came. */
export function createLock(): <T>(key: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<void>>()
  return async (key, signal, work) => {
    const before = last.get(key)
    const { promise: done, resolve: release } = Promise.withResolvers<void>()
    const turn = (before ?? Promise.resolve()).then(() => done)
    last.set(key, turn)
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      release()
      if (last.get(key) === turn) last.delete(key)
    }
  }
}

async function unlessAborted(before: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (!before) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    void before.then(resolve)
    await promise
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
