/** Works on so many at once; with the first failure the others are stopped, and it is thrown when they have ended. */
export async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const left = items.values()
  let failure: { error: unknown } | undefined
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (failure || either.aborted) return
      try {
        await work(item, either)
      } catch (error) {
        failure ??= { error }
        stop.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  signal.throwIfAborted()
  if (failure) throw failure.error
}
