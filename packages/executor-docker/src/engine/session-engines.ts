import { ExecutorError, type Log } from '@opencode-gateway/contracts'
import { createContainerSlots } from '../warm/container-slots.ts'
import { createSessionEngine, type SessionEngine } from './session-engine.ts'
import { whileWanted } from './start-call.ts'
import type { EngineStarter } from './start-engine.ts'
import type { WarmStarter } from '../warm/warm-starter.ts'

export interface SessionEnginesOptions {
  starter: Pick<EngineStarter, 'find'>
  warm: Pick<WarmStarter, 'start' | 'isAside' | 'count' | 'yield'>
  /** Containers there may be, those of no session included. */
  maxContainers: number
  /** How long a session waits for one, milliseconds. */
  containerWaitMs: number
  idleTimeoutMs: number
  healthTimeoutMs: number
  healthFreshMs: number
  log: Log
}

/** The engines of the sessions that this process knows, and how many containers there are for them. */
export interface SessionEngines {
  /** That of the session, which may have no container at the moment. */
  of(sessionId: string): SessionEngine
  find(sessionId: string): SessionEngine | undefined
  forget(sessionId: string, engine: SessionEngine | undefined): void
  hasRoom(): boolean
  /** Somebody who waits for a container may find room now. */
  changed(): void
  /** Lets go of all; their containers stay. */
  close(): Promise<void>
}

export function createSessionEngines(options: SessionEnginesOptions): SessionEngines {
  const { starter, warm, idleTimeoutMs, healthTimeoutMs, healthFreshMs, log } = options
  const engines = new Map<string, SessionEngine>()
  const slots = createContainerSlots({
    max: options.maxContainers,
    waitMs: options.containerWaitMs,
    others: () => warm.count(),
    makeRoom: async () => (await warm.yield()) || (await endOldestIdle(engines.values())),
  })

  return {
    of(sessionId) {
      const known = engines.get(sessionId)
      if (known) return known
      const engine = createSessionEngine({
        log,
        sessionId,
        idleTimeoutMs,
        healthTimeoutMs,
        healthFreshMs,
        onIdle: slots.changed,
        start: (onGone, call) =>
          slots.within(() => warm.start(sessionId, onGone, call), whileWanted(call), warm.isAside(sessionId)),
        // It runs already.
        find: (onGone, signal) => slots.within(() => starter.find(sessionId, onGone, signal), signal, true),
      })
      engines.set(sessionId, engine)
      return engine
    },
    find: (sessionId) => engines.get(sessionId),
    forget(sessionId, engine) {
      if (engines.get(sessionId) === engine) engines.delete(sessionId)
    },
    hasRoom: slots.hasRoom,
    changed: slots.changed,
    async close() {
      await Promise.all([...engines.values()].map((engine) => engine.close()))
      engines.clear()
    },
  }
}

/** False when all have work. */
async function endOldestIdle(engines: Iterable<SessionEngine>): Promise<boolean> {
  const idle = [...engines].filter((engine) => engine.idleSince() !== undefined)
  const [oldest] = idle.toSorted((one, other) => (one.idleSince() ?? 0) - (other.idleSince() ?? 0))
  return (await oldest?.rest(new ExecutorError('ENGINE_LOST', 'the place of the container was needed'))) ?? false
}
