/**
 * The promise's value, or `given up` when it has not settled `graceMs` after the signal's abort. What was asked to stop
 * promises to settle; nothing here hangs when it breaks that promise.
 */
export async function orGiveUp<T>(promise: Promise<T>, signal: AbortSignal, graceMs: number): Promise<T | 'given up'> {
  let timer: NodeJS.Timeout | undefined
  const { promise: givenUp, resolve } = Promise.withResolvers<'given up'>()
  const onAbort = () => {
    timer = setTimeout(() => resolve('given up'), graceMs)
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, givenUp])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
