import { fieldOf, type SessionFacts } from '../facts.ts'
import { endingOf } from '../checks/outcome.ts'

export interface Crash {
  /** When the gateway was killed and when the one that saw to its runs listened; milliseconds since the epoch. */
  killedAt: number
  listeningAt: number
}

export interface RecoveryTimes {
  /** Runs that were not over when the gateway was killed. */
  runs: number
  /** From listening to the end of the last run that the engine had been given; undefined when there was none. */
  sentMs: number | undefined
  /** … of the last run at all: those that had not been given to the engine were started again and worked. */
  allMs: number | undefined
}

export function recoveryTimes(sessions: readonly SessionFacts[], { killedAt, listeningAt }: Crash): RecoveryTimes {
  const open = sessions.flatMap(({ orders, log }) =>
    orders.flatMap(({ runId }) => {
      const [first] = log.filter(({ data }) => data.run_id === runId)
      const ended = endingOf(log, runId)
      if (!first || !ended || ended.at < listeningAt || Date.parse(first.data.timestamp) >= killedAt) return []
      return [{ afterMs: ended.at - listeningAt, wasSent: wasSentBefore(log, runId, killedAt) }]
    }),
  )
  return {
    runs: open.length,
    sentMs: latest(open.filter(({ wasSent }) => wasSent)),
    allMs: latest(open),
  }
}

/** The event that the run works is written just before its prompt is sent. */
function wasSentBefore(log: SessionFacts['log'], runId: string, at: number): boolean {
  return log.some(
    (frame) =>
      frame.event === 'status' &&
      frame.data.run_id === runId &&
      fieldOf(frame, 'status') === 'running' &&
      Date.parse(frame.data.timestamp) < at,
  )
}

function latest(runs: readonly { afterMs: number }[]): number | undefined {
  return runs.length === 0 ? undefined : Math.max(...runs.map(({ afterMs }) => afterMs))
}
