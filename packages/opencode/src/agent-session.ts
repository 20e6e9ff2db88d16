import type { AgentEvent, AgentSession, CallContext } from '@opencode-gateway/contracts'
import { Detached, ExecutorError } from '@opencode-gateway/contracts'
import { endingWith } from './ending-with.ts'
import type { EngineClient, SessionPlace } from './engine-client.ts'
import type { EngineSession } from './engine-session.ts'
import { cancelledOutcome } from './run-frame.ts'

/** The use of an engine: it is not stopped for another one before the lease is given back. */
export interface EngineLease {
  readonly client: EngineClient
  /** Idempotent. */
  release(): void
}

/** Where a session has its engine from. */
export interface SessionEngineSource {
  /**
   * The engine for new work; waits while it is being started again. Another client than before means another engine:
   * sessions must be attached there. `directory`: where it is going to work.
   */
  acquire(signal: AbortSignal, directory?: string): Promise<EngineLease>
  /** The same at once, when this is still the engine for new work. */
  retain(client: EngineClient, directory: string): EngineLease | undefined
}

export interface AgentSessionOptions {
  source: SessionEngineSource
  place: SessionPlace
  engineSessionId: string
  /** Where the session is known to be; otherwise it is attached to with the first work. */
  attached?: Attached
}

interface Attached {
  client: EngineClient
  session: EngineSession
}

interface Held extends Attached {
  lease: EngineLease
}

/** What of an `AgentSession` is the same wherever the engine is. */
export interface EngineBackedSession extends Omit<AgentSession, 'ref' | 'workspacePath' | 'release'> {
  /** Stops what runs and removes the session from the engine, and what that holds of its directory. */
  remove(signal: AbortSignal): Promise<void>
}

/**
 * Our handle on one session of the engine. When another engine has taken over, it finds the session there, but never
 * while a run goes on: that one stays with its engine.
 */
export function createAgentSession(options: AgentSessionOptions): EngineBackedSession {
  const { source, place, engineSessionId } = options
  let { attached } = options
  let moving: Promise<unknown> = Promise.resolve()
  let running = 0
  /** Runs that wait for the engine: nothing of them is anywhere. */
  const waiting = new Set<AbortController>()

  const moveTo = async (client: EngineClient, signal: AbortSignal): Promise<Attached> => {
    if (client === attached?.client) return attached
    const session = await client.attachSession({ ...place, engineSessionId }, signal)
    if (!session) throw new ExecutorError('ENGINE_LOST', `the engine no longer has the session "${engineSessionId}"`)
    attached = { client, session }
    return attached
  }

  const acquire = async (signal: AbortSignal): Promise<Held> => {
    const lease = await source.acquire(signal, place.directory)
    try {
      // One after the other: of two that move at once each would have a handle of its own.
      const moved = moving.then(() => moveTo(lease.client, signal))
      moving = moved.catch(() => undefined)
      return { lease, ...(await moved) }
    } catch (error) {
      lease.release()
      throw error
    }
  }

  const retain = (): Held | undefined => {
    const lease = attached && source.retain(attached.client, place.directory)
    return attached && lease && { lease, ...attached }
  }

  /** Does something with the session, where its run is if it has one. */
  const withSession = async <T>(signal: AbortSignal, work: (attached: Attached) => Promise<T>): Promise<T> => {
    if (running > 0 && attached) return await work(attached)
    const held = retain() ?? (await acquire(signal))
    try {
      return await work(held)
    } finally {
      held.lease.release()
    }
  }

  type Start = (session: EngineSession) => AsyncIterable<AgentEvent>

  const hold = ({ lease, session }: Held, start: Start): AsyncIterator<AgentEvent> => {
    running += 1
    return endingWith(start(session), () => {
      running -= 1
      lease.release()
    })
  }

  /** Waits for the engine. Whoever leaves or cancels meanwhile is not kept waiting. */
  const later = ({ signal }: CallContext, start: Start): AsyncIterator<AgentEvent> => {
    const cancelled = new AbortController()
    let begun: Promise<AsyncIterator<AgentEvent>> | undefined
    const begin = async (): Promise<AsyncIterator<AgentEvent>> => {
      waiting.add(cancelled)
      const unwanted = AbortSignal.any([signal, cancelled.signal])
      try {
        const held = await acquire(unwanted)
        if (!unwanted.aborted) return hold(held, start)
        held.lease.release()
      } catch (error) {
        if (!unwanted.aborted) throw error
      } finally {
        waiting.delete(cancelled)
      }
      return only(signal.reason instanceof Detached ? [] : [cancelledOutcome()])
    }
    return {
      next: async () => await (await (begun ??= begin())).next(),
      async return() {
        cancelled.abort()
        await (await begun)?.return?.()
        return { done: true, value: undefined }
      },
    }
  }

  /**
   * Begins at once where it can, so that a `cancel` right after it finds the run; where the engine is being started
   * again, the run waits for it. An aborted signal and a second run are the session's own affair.
   */
  const through = (ctx: CallContext, start: Start): AsyncIterable<AgentEvent> => ({
    [Symbol.asyncIterator]() {
      if (attached && (ctx.signal.aborted || running > 0)) return start(attached.session)[Symbol.asyncIterator]()
      const held = retain()
      return held ? hold(held, start) : later(ctx, start)
    },
  })

  return {
    run: (input, ctx) => through(ctx, (session) => session.run(input, ctx)),
    resume: (progress, ctx) => through(ctx, (session) => session.resume(progress, ctx)),
    answer: (askId, answer, ctx) => withSession(ctx.signal, ({ session }) => session.answer(askId, answer, ctx)),
    steer: (text, ctx) => withSession(ctx.signal, ({ session }) => session.steer(text, ctx)),
    async cancel(ctx) {
      const isWaiting = waiting.size > 0
      for (const waiter of waiting) waiter.abort()
      if (isWaiting && running === 0) return { aborted_sessions: 0, killed: 0, quiet_after_ms: 0, escalated: false }
      return await withSession(ctx.signal, ({ session }) => session.cancel(ctx))
    },
    remove: (signal) =>
      withSession(signal, async ({ client, session }) => {
        await session.remove(signal)
        await client.disposeDirectory(place.directory, signal)
      }),
  }
}

async function* only(events: readonly AgentEvent[]): AsyncGenerator<AgentEvent, void, undefined> {
  yield* events
}
