import type { ExecutorError } from '@opencode-gateway/contracts'
import type { EngineEvent } from './engine-model.ts'
import { createEventQueue } from './event-queue.ts'
import type { EventQueue } from './event-queue.ts'

export interface Subscription extends Pick<EventQueue, 'next' | 'gone'> {
  /** Makes the run look at the engine's state now. */
  look(): void
  /** Takes in the events of a sub-agent's session. */
  adopt(childId: string): void
  close(): void
}

export interface EventHub {
  subscribe(root: { sessionId: string; directory: string }): Subscription
  deliver(event: EngineEvent, size: number): void
  /** Events may have been lost. */
  gap(): void
  /** The engine is gone. */
  lost(error: ExecutorError): void
}

/**
 * Gives every run its share of the engine's one event stream: the events of its session, of the sessions below it and
 * of its directory. `maxQueued` bounds what waits per run, in characters.
 */
export function createEventHub(maxQueued: number): EventHub {
  const queues = new Map<string, { queue: EventQueue; directory: string }>()
  const rootOf = new Map<string, string>()

  return {
    subscribe({ sessionId, directory }) {
      const queue = createEventQueue(maxQueued)
      queues.set(sessionId, { queue, directory })
      rootOf.set(sessionId, sessionId)
      return {
        next: queue.next,
        gone: queue.gone,
        look: () => queue.push({ kind: 'look' }, 0),
        adopt: (childId) => rootOf.set(childId, sessionId),
        close() {
          queues.delete(sessionId)
          for (const [id, root] of rootOf) if (root === sessionId) rootOf.delete(id)
        },
      }
    },
    deliver(event, size) {
      if (event.type === 'file') {
        for (const { queue, directory } of queues.values()) {
          if (directory === event.directory) queue.push({ kind: 'event', event }, size)
        }
        return
      }
      if (event.type === 'session' && event.parentId !== undefined) {
        const root = rootOf.get(event.parentId)
        if (root !== undefined) rootOf.set(event.sessionId, root)
      }
      const root = rootOf.get(event.sessionId)
      if (root !== undefined) queues.get(root)?.queue.push({ kind: 'event', event }, size)
    },
    gap() {
      for (const { queue } of queues.values()) queue.push({ kind: 'gap' }, 0)
    },
    lost(error) {
      for (const { queue } of queues.values()) queue.lose(error)
    },
  }
}
