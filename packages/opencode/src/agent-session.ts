import type { AgentEvent, AgentSession, CallContext } from '@opencode-gateway/contracts'
import { Detached, ExecutorError, withSignal } from '@opencode-gateway/contracts'
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

/** A run that waits for the engine: of a new one nothing is anywhere. */
interface Waiting {
  readonly isResumed: boolean
  readonly cancelled: AbortController
  /** It waits no more. */
  readonly over: PromiseWithResolvers<void>
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
  const waiting = new Set<Waiting>()

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

  /**
   * Waits for the engine. Whoever leaves or cancels a new run meanwhile is not kept waiting. One that is resumed may be
   * at work there: only who lets go of it need not wait until it can be told to stop.
   */
  const later = ({ signal }: CallContext, start: Start, isResumed: boolean): AsyncIterator<AgentEvent> => {
    const cancelled = new AbortController()
    let begun: Promise<AsyncIterator<AgentEvent>> | undefined
    const begin = async (): Promise<AsyncIterator<AgentEvent>> => {
      const waits: Waiting = { isResumed, cancelled, over: Promise.withResolvers() }
      waiting.add(waits)
      const unwanted = isResumed ? whenDetached(signal) : AbortSignal.any([signal, cancelled.signal])
      try {
        const held = await acquire(unwanted)
        if (!unwanted.aborted) return hold(held, start)
        held.lease.release()
      } catch (error) {
        if (!unwanted.aborted) throw error
      } finally {
        waiting.delete(waits)
        waits.over.resolve()
      }
      return only(signal.reason instanceof Detached ? [] : [cancelledOutcome()])
    }
    return {
      next: async () => await (await (begun ??= begin())).next(),
      async return() {
        cancelled.abort()
        if (isResumed) begun ??= begin()
        await (await begun)?.return?.()
        return { done: true, value: undefined }
      },
    }
  }

  /**
   * Begins at once where it can, so that a `cancel` right after it finds the run; where the engine is being started
   * again, the run waits for it. An aborted signal and a second run are the session's own affair.
   */
  const through = (ctx: CallContext, start: Start, isResumed = false): AsyncIterable<AgentEvent> => ({
    [Symbol.asyncIterator]() {
      if (attached && (ctx.signal.aborted || running > 0)) return start(attached.session)[Symbol.asyncIterator]()
      const held = retain()
      return held ? hold(held, start) : later(ctx, start, isResumed)
    },
  })

  return {
    run: (input, ctx) => through(ctx, (session) => session.run(input, ctx)),
    resume: (progress, ctx) => through(ctx, (session) => session.resume(progress, ctx), true),
    answer: (askId, answer, ctx) => withSession(ctx.signal, ({ session }) => session.answer(askId, answer, ctx)),
    steer: (text, ctx) => withSession(ctx.signal, ({ session }) => session.steer(text, ctx)),
    async cancel(ctx) {
      const resumed = [...waiting].filter(({ isResumed }) => isResumed)
      const isWaiting = waiting.size > 0
      for (const { cancelled } of waiting) cancelled.abort()
      await withSignal(Promise.all(resumed.map(({ over }) => over.promise)), ctx.signal)
      if (isWaiting && resumed.length === 0 && running === 0)
        return { aborted_sessions: 0, killed: 0, quiet_after_ms: 0, escalated: false }
      return await withSession(ctx.signal, ({ session }) => session.cancel(ctx))
    },
    remove: (signal) =>
      withSession(signal, async ({ client, session }) => {
        await session.remove(signal)
        await client.disposeDirectory(place.directory, signal)
      }),
  }
}

/** Aborted when the caller lets go of a run, not when it stops it. */
function whenDetached(signal: AbortSignal): AbortSignal {
  const detached = new AbortController()
  const look = (): void => {
    if (signal.reason instanceof Detached) detached.abort(signal.reason)
  }
  if (signal.aborted) look()
  else signal.addEventListener('abort', look, { once: true })
  return detached.signal
}

async function* only(events: readonly AgentEvent[]): AsyncGenerator<AgentEvent, void, undefined> {
  yield* events
}
