import { Detached, type AgentSession, type CancelReceipt, type Log } from '@opencode-gateway/contracts'
import type { Stop } from './verdict.ts'

/** Ends or lets go of one run, once. */
export interface RunStop extends Disposable {
  /** Aborted when the session is no longer to be opened. */
  readonly opening: AbortSignal
  /** Aborted when the agent has had its chance to end by itself, or is let go of. */
  readonly working: AbortSignal
  /** Why the run is being ended, if it is. */
  reason(): Stop | undefined
  detached(): boolean
  /** The first reason counts. */
  request(stop: Stop): void
  /** From now on a stop is told to this agent. */
  engage(agent: AgentSession): void
  /** Settles when the agent has confirmed the stop, or has not in time. */
  receipt(): Promise<CancelReceipt | undefined>
  /** The run cannot go on: its events cannot be written. */
  breakOff(error: unknown): void
  /** Lets go of the agent without stopping it, unless a stop is under way. */
  detach(): void
}

export function createRunStop({ log, graceMs }: { log: Log; graceMs: number }): RunStop {
  const opening = new AbortController()
  const working = new AbortController()
  let agent: AgentSession | undefined
  let stopping: { stop: Stop; receipt: Promise<CancelReceipt | undefined> } | undefined
  let detached = false
  let cut: NodeJS.Timeout | undefined

  async function cancel(session: AgentSession): Promise<CancelReceipt | undefined> {
    try {
      return await session.cancel({ signal: AbortSignal.timeout(graceMs), log })
    } catch (err) {
      log.warn({ err }, 'the executor did not confirm the cancellation')
      return undefined
    } finally {
      // What has been cancelled yields its outcome by itself; what has not is cut off after the grace.
      cut = setTimeout(() => working.abort(new Error('no outcome after the cancellation')), graceMs)
    }
  }

  return {
    opening: opening.signal,
    working: working.signal,
    reason: () => stopping?.stop,
    detached: () => detached,
    request(stop) {
      if (stopping || detached) return
      stopping = { stop, receipt: agent ? cancel(agent) : Promise.resolve(undefined) }
      opening.abort(new Error(`stopped: ${stop.kind}`))
    },
    engage(session) {
      agent = session
    },
    receipt: async () => stopping?.receipt,
    breakOff: (error) => working.abort(error),
    detach() {
      if (stopping) return
      detached = true
      opening.abort(new Detached())
      working.abort(new Detached())
    },
    [Symbol.dispose]: () => clearTimeout(cut),
  }
}
