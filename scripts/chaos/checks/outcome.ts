import type { Outcome, RunError } from '@opencode-gateway/contracts'
import type { OrderFacts, SessionFacts } from '../facts.ts'

export interface Ending {
  outcome: Outcome
  finalMessage: string
  error: RunError | undefined
  /** Milliseconds since the epoch. */
  at: number
}

/** How the log says that a run ended. */
export function endingOf(log: SessionFacts['log'], runId: string): Ending | undefined {
  const ending = log.find(({ event, data }) => event === 'complete' && data.run_id === runId)
  if (!ending) return undefined
  const { outcome, final_message, error, timestamp } = ending.data as unknown as EndingData
  return { outcome, finalMessage: final_message, error, at: Date.parse(timestamp) }
}

interface EndingData {
  outcome: Outcome
  final_message: string
  error?: RunError
  timestamp: string
}

/** An order together with how its run ended. */
export interface EndedOrder extends OrderFacts {
  ended: Ending
}

/** What has not ended is the business of another check. */
export function endedOrders({ orders, log }: SessionFacts): readonly EndedOrder[] {
  return orders.flatMap((order) => {
    const ended = endingOf(log, order.runId)
    return ended ? [{ ...order, ended }] : []
  })
}
