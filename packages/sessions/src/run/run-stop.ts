import { Detached, type AgentSession, type CancelReceipt, type Log } from '@opencode-gateway/contracts'
import type { Stop } from './ending.ts'

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
  /** From now on a stop is told to this agent; so is one that was requested before. */
  engage(agent: AgentSession): void
  /**
   * Settles when the agent has confirmed the stop, or has not in time; that receipt does not say that anything is quiet.
   * Undefined when nothing was told to an agent.
   */
  receipt(): Promise<CancelReceipt | undefined>
  /** The run cannot go on: its events cannot be written. */
  breakOff(error: unknown): void
  /** Lets go of the agent without stopping it, unless a stop is under way. */
  detach(): void
}

/** What a run that was stopped still has to say comes at once. */
const lastWordsMs = 1_000

/** Nothing is known of what still works. */
const unconfirmed: CancelReceipt = { aborted_sessions: 0, killed: 0, escalated: false }

export function createRunStop({ log, graceMs }: { log: Log; graceMs: number }): RunStop {
  const opening = new AbortController()
  const working = new AbortController()
  let agent: AgentSession | undefined
  let stopping: { stop: Stop; receipt: Promise<CancelReceipt | undefined> } | undefined
  let detached = false
  let cut: NodeJS.Timeout | undefined

  async function cancel(session: AgentSession): Promise<CancelReceipt> {
    const endsAt = Date.now() + graceMs
    try {
      const receipt = await session.cancel({ signal: AbortSignal.timeout(graceMs), log })
      // What has been cancelled yields its outcome by itself.
      const inMs = Math.max(endsAt - Date.now(), lastWordsMs)
      cut = setTimeout(() => working.abort(new Error('no outcome after the cancellation')), inMs)
      return receipt
    } catch (err) {
      log.warn({ err }, 'the executor did not confirm the cancellation')
      working.abort(new Error('the cancellation was not confirmed'))
      return unconfirmed
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
      if (stopping) stopping.receipt = cancel(session)
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
