/** Runs `work` `count` times, at most `concurrency` at once; returns how long each took, milliseconds. */
export async function timeEach(
  count: number,
  concurrency: number,
  work: (index: number) => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = []
  let next = 0
  async function lane(): Promise<void> {
    while (next < count) {
      const index = next
      next += 1
      const startedAt = performance.now()
      await work(index)
      took.push(performance.now() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, lane))
  return took
}

/** As `timeEach`, with how many were done per second. */
export async function throughput(
  count: number,
  concurrency: number,
  work: (index: number) => Promise<unknown>,
): Promise<{ tookMs: number[]; perSecond: number }> {
  const startedAt = performance.now()
  const tookMs = await timeEach(count, concurrency, work)
  return { tookMs, perSecond: (count * 1000) / (performance.now() - startedAt) }
}

/**
 * Starts `perSecond` calls of `work` a second for `seconds`, on a schedule that does not wait for them (an open loop:
 * a stall shows in every call that was due in it). Each is timed from when it was due, milliseconds.
 */
export async function paced(
  perSecond: number,
  seconds: number,
  work: (index: number) => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = []
  const all: Promise<void>[] = []
  let failure: { error: unknown } | undefined
  const startedAt = performance.now()
  const total = perSecond * seconds
  while (all.length < total && failure === undefined) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * perSecond) / 1000))
    while (all.length < due) {
      const index = all.length
      const dueAt = startedAt + (index * 1000) / perSecond
      const done = work(index).then(
        () => void took.push(performance.now() - dueAt),
        (error: unknown) => void (failure ??= { error }),
      )
      all.push(done)
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(all)
  if (failure) throw failure.error
  return took
}
