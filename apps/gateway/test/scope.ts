import { setTimeout as sleep } from 'node:timers/promises'

/** What is started for something that ends: a test's context is one. */
export interface Lifetime {
  readonly signal: AbortSignal
  /** Called at the end. */
  after(clean: () => PromiseLike<void>): void
}

/** A lifetime where there is no test's context; it frees the last first. */
export interface Scope extends Lifetime {
  /** Settles once the condition holds. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>
  close(): Promise<void>
}

export function createScope(): Scope {
  const closing = new AbortController()
  const cleanups: (() => PromiseLike<void>)[] = []
  return {
    signal: closing.signal,
    after: (clean) => void cleanups.push(clean),
    async until(holds) {
      while (!(await holds())) await sleep(5, undefined, { signal: closing.signal })
    },
    async close() {
      for (const clean of cleanups.toReversed()) await clean()
      closing.abort()
    },
  }
}
