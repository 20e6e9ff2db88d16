/** The time limit of one case. It names what was waited for, since "timeout" alone tells nothing. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Settles as the promise does, or rejects at the deadline with a text that has `what` in it. */
  within<T>(what: string, promise: Promise<T>): Promise<T>
  clear(): void
}

export function createDeadline(caseName: string, limitMs: number): Deadline {
  const controller = new AbortController()
  const waiting: string[] = []
  const timer = setTimeout(() => {
    const innermost = waiting.at(-1) ?? 'the case'
    controller.abort(
      new Error(`case "${caseName}" reached its limit of ${limitMs} ms while it waited for ${innermost}`),
    )
  }, limitMs)
  return {
    signal: controller.signal,
    async within(what, promise) {
      const { signal } = controller
      const limit = Promise.withResolvers<never>()
      const expire = (): void => limit.reject(signal.reason)
      waiting.push(what)
      signal.addEventListener('abort', expire, { once: true })
      if (signal.aborted) expire()
      try {
        return await Promise.race([promise, limit.promise])
      } finally {
        signal.removeEventListener('abort', expire)
        waiting.splice(waiting.indexOf(what), 1)
      }
    },
    clear: () => clearTimeout(timer),
  }
}
