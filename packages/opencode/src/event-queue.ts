import type { ExecutorError } from '@opencode-gateway/contracts'
import type { EngineEvent } from './engine-model.ts'

export type QueueItem =
  | { kind: 'event'; event: EngineEvent }
  /** Events are missing here: read the engine's state. */
  | { kind: 'gap' }
  /** Somebody wants the state looked at now. */
  | { kind: 'look' }

export interface EventQueue {
  push(item: QueueItem, size: number): void
  /** The engine is gone: nothing will come any more. */
  lose(error: ExecutorError): void
  /** Set once the engine is gone. */
  gone(): ExecutorError | undefined
  /** The next item; undefined when none came within `waitMs`. Rejects when the signal aborts. */
  next(waitMs: number, signal: AbortSignal): Promise<QueueItem | undefined>
}

/**
 * Holds what has arrived for one run until the run takes it. A consumer that is too slow loses the events, never the
 * truth: past `maxSize` (characters) everything waiting is replaced by one `gap`.
 */
export function createEventQueue(maxSize: number): EventQueue {
  let items: { item: QueueItem; size: number }[] = []
  let held = 0
  let lost: ExecutorError | undefined
  let wake: (() => void) | undefined

  const take = (): QueueItem | undefined => {
    const first = items.shift()
    held -= first?.size ?? 0
    return first?.item
  }

  return {
    push(item, size) {
      if (item.kind === 'event' && held + size > maxSize && items.length > 0) {
        items = [{ item: { kind: 'gap' }, size: 0 }]
        held = 0
      } else if (item.kind === 'event' || items.at(-1)?.item.kind !== item.kind) {
        items.push({ item, size })
        held += size
      }
      wake?.()
    },
    lose(error) {
      lost ??= error
      wake?.()
    },
    gone: () => lost,
    async next(waitMs, signal) {
      signal.throwIfAborted()
      const ready = take()
      if (ready || lost) return ready
      const { promise, resolve } = Promise.withResolvers<void>()
      const give = (): void => resolve()
      const timer = setTimeout(give, waitMs)
      wake = give
      signal.addEventListener('abort', give, { once: true })
      try {
        await promise
      } finally {
        clearTimeout(timer)
        wake = undefined
        signal.removeEventListener('abort', give)
      }
      signal.throwIfAborted()
      return take()
    },
  }
}
