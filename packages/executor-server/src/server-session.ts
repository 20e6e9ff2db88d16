import type { AgentEvent, AgentSession, CallContext, Log } from '@opencode-gateway/contracts'
import { ExecutorError } from '@opencode-gateway/contracts'
import { cancelledOutcome } from '@opencode-gateway/opencode'
import type { EngineClient, EngineSession, SessionPlace } from '@opencode-gateway/opencode'
import type { Directories } from '@opencode-gateway/workspaces'
import type { EngineLease, EngineSource } from './engine-source.ts'

export interface ServerSessionOptions {
  source: EngineSource
  directories: Directories
  log: Log
  sessionId: string
  place: SessionPlace
  client: EngineClient
  session: EngineSession
  releaseTimeoutMs: number
  onReleased(engineSessionId: string): void
}

/**
 * Our handle on one session of the engine. When another engine has taken over, it finds the session there, but never
 * while a run goes on: that one stays with its engine.
 */
export function createServerSession(options: ServerSessionOptions): AgentSession {
  const { source, directories, sessionId, place } = options
  const { engineSessionId } = options.session
  let { client, session } = options
  let moving: Promise<void> = Promise.resolve()
  let running = 0
  /** Runs that wait for the engine: nothing of them is anywhere. */
  const waiting = new Set<AbortController>()
  let released = false

  const moveTo = async (next: EngineClient, signal: AbortSignal): Promise<void> => {
    if (next === client) return
    const found = await next.attachSession({ ...place, engineSessionId }, signal)
    if (!found) throw new ExecutorError('ENGINE_LOST', `the engine no longer has the session "${engineSessionId}"`)
    client = next
    session = found
  }

  const acquire = async (signal: AbortSignal): Promise<EngineLease> => {
    const lease = await source.acquire(signal, place.directory)
    try {
      // One after the other: of two that move at once each would have a handle of its own.
      const moved = moving.then(() => moveTo(lease.client, signal))
      moving = moved.catch(() => undefined)
      await moved
      return lease
    } catch (error) {
      lease.release()
      throw error
    }
  }

  /** Does something with the session, where its run is if it has one. */
  const withSession = async <T>(signal: AbortSignal, work: (session: EngineSession) => Promise<T>): Promise<T> => {
    if (running > 0) return await work(session)
    const lease = source.retain(client, place.directory) ?? (await acquire(signal))
    try {
      return await work(session)
    } finally {
      lease.release()
    }
  }

  type Start = (session: EngineSession) => AsyncIterable<AgentEvent>

  /**
   * Begins at once where it can, so that a `cancel` right after it finds the run; where the engine is being started
   * again, the run waits for it. An aborted signal and a second run are the session's own affair.
   */
  const through = ({ signal }: CallContext, start: Start): AsyncIterable<AgentEvent> => {
    const hold = (lease: EngineLease): AsyncIterator<AgentEvent> => {
      running += 1
      return endingWith(start(session), () => {
        running -= 1
        lease.release()
      })
    }
    async function* later(): AsyncGenerator<AgentEvent, void, undefined> {
      const cancelled = new AbortController()
      waiting.add(cancelled)
      let lease: EngineLease | undefined
      try {
        lease = await acquire(AbortSignal.any([signal, cancelled.signal]))
      } catch (error) {
        if (!cancelled.signal.aborted) throw error
      } finally {
        waiting.delete(cancelled)
      }
      if (lease && !cancelled.signal.aborted) {
        const held = lease
        yield* { [Symbol.asyncIterator]: () => hold(held) }
        return
      }
      lease?.release()
      yield cancelledOutcome()
    }
    return {
      [Symbol.asyncIterator]() {
        if (signal.aborted || running > 0) return start(session)[Symbol.asyncIterator]()
        const lease = source.retain(client, place.directory)
        return lease ? hold(lease) : later()
      },
    }
  }

  return {
    ref: {
      executor: 'server',
      session_id: sessionId,
      engine_session_id: engineSessionId,
      directory: place.directory,
    },
    workspacePath: place.directory,
    run: (input, ctx) => through(ctx, (session) => session.run(input, ctx)),
    resume: (progress, ctx) => through(ctx, (session) => session.resume(progress, ctx)),
    answer: (askId, answer, ctx) => withSession(ctx.signal, (session) => session.answer(askId, answer, ctx)),
    steer: (text, ctx) => withSession(ctx.signal, (session) => session.steer(text, ctx)),
    async cancel(ctx) {
      const isWaiting = waiting.size > 0
      for (const waiter of waiting) waiter.abort()
      if (isWaiting && running === 0) return { aborted_sessions: 0, killed: 0, quiet_after_ms: 0, escalated: false }
      return await withSession(ctx.signal, (session) => session.cancel(ctx))
    },
    async release(keep) {
      if (released) return
      released = true
      const signal = AbortSignal.timeout(options.releaseTimeoutMs)
      try {
        await withSession(signal, async (session) => {
          await session.remove(signal)
          await client.disposeDirectory(place.directory, signal)
        })
      } catch (err) {
        // A dead engine holds nothing; its files are ours to remove all the same.
        options.log.warn({ sessionId, err }, 'the session could not be removed from the engine')
      }
      options.onReleased(engineSessionId)
      if (keep === 'nothing') await directories.remove(sessionId)
    },
  }
}

/** The iterator of the events; `end` is called once, when nothing more comes. */
function endingWith(events: AsyncIterable<AgentEvent>, end: () => void): AsyncIterator<AgentEvent> {
  const iterator = events[Symbol.asyncIterator]()
  let over = false
  const finish = (): void => {
    if (!over) end()
    over = true
  }
  return {
    async next() {
      try {
        const item = await iterator.next()
        if (item.done) finish()
        return item
      } catch (error) {
        finish()
        throw error
      }
    },
    async return() {
      try {
        await iterator.return?.()
      } finally {
        finish()
      }
      return { done: true, value: undefined }
    },
  }
}
