import type { Ask, PendingAsk, RunRow } from '@opencode-gateway/contracts'

export function askView(runId: string, { data }: PendingAsk): Ask {
  return { run_id: runId, ...data }
}

/** What the agent waits for an answer to. What was left unanswered when its run ended waits for nothing. */
export function asksOf(runs: readonly RunRow[]): Ask[] {
  return runs.flatMap(({ runId, asks, complete }) => (complete ? [] : asks.map((ask) => askView(runId, ask))))
}

/** Since when the run waits, milliseconds since the epoch; undefined when it does not. */
export function waitingSince({ asks, complete, limits }: RunRow): number | undefined {
  if (complete || asks.length === 0) return undefined
  return Math.min(...asks.map(({ expiresAt }) => expiresAt)) - limits.askMs
}
