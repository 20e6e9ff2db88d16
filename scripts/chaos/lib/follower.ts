import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { readSse } from '../../bench/lib/sse.ts'
import type { ReceivedFrame } from '../facts.ts'

/** A client that follows a session's events, comes back after every break, and says where it was. */
export interface Follower {
  readonly received: readonly ReceivedFrame[]
  /** Answers that no client of a sound gateway gets. */
  readonly surprises: readonly string[]
  /**
   * Follows until every one of the runs has ended in what arrived; `undefined` while they are not all known. Rejects with
   * the signal's reason.
   */
  until(runIds: () => readonly string[] | undefined): Promise<void>
}

const pauseMs = 50
/** Nobody there, the stream, its end, and the answers that ask to come again. */
const foreseen = new Set([0, 200, 204, 429, 503])

export function followSession(url: () => string, sessionId: string, signal: AbortSignal): Follower {
  const received: ReceivedFrame[] = []
  const surprises: string[] = []
  const ended = new Set<string>()

  async function connect(): Promise<void> {
    const agent = new Agent()
    const cut = (): void => agent.destroy()
    signal.addEventListener('abort', cut, { once: true })
    const last = received.at(-1)
    const { status } = await readSse({
      url: `${url()}/sessions/${sessionId}/stream`,
      agent,
      lastEventId: last === undefined ? undefined : String(last.id),
      onEvent({ id, event = 'message', data }) {
        // Snapshots and heartbeats are no events of the log.
        if (id === undefined) return
        received.push({ id: Number(id), event, data })
        if (event === 'complete') ended.add((JSON.parse(data) as { run_id: string }).run_id)
      },
    }).finally(() => signal.removeEventListener('abort', cut))
    if (!foreseen.has(status)) {
      surprises.push(`the stream of session ${sessionId} after event ${last?.id ?? 0} was answered with ${status}`)
    }
  }

  return {
    received,
    surprises,
    async until(runIds) {
      while (runIds()?.every((runId) => ended.has(runId)) !== true) {
        signal.throwIfAborted()
        await connect()
        await sleep(pauseMs, undefined, { signal })
      }
    },
  }
}
