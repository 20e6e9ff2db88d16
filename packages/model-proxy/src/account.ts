import type { ModelUsageTotals } from '@opencode-gateway/contracts'
import { addTotals } from './totals.ts'

/** What somebody has used of models: what is stored of it, and what has come since. */
export interface Account {
  /** Of the time of runs what has passed until now. */
  spent(): ModelUsageTotals
  /** Calls that were begun: those that were answered, and others. */
  begun(): number
  begin(): void
  add(totals: ModelUsageTotals): void
  /** A run of the account works from now on, or no longer; idempotent. */
  enter(runId: string): void
  leave(runId: string): void
}

export function createAccount(stored: ModelUsageTotals, now: () => number): Account {
  let spent = stored
  let begun = stored.calls
  const working = new Map<string, number>()
  const since = (at: number): number => Math.max(0, Math.round(now() - at))
  return {
    spent() {
      const running = [...working.values()].reduce((sum, at) => sum + since(at), 0)
      return running === 0 ? spent : { ...spent, wallMs: spent.wallMs + running }
    },
    begun: () => begun,
    begin() {
      begun += 1
    },
    add(totals) {
      spent = addTotals(spent, totals)
    },
    enter(runId) {
      if (!working.has(runId)) working.set(runId, now())
    },
    leave(runId) {
      const at = working.get(runId)
      working.delete(runId)
      if (at !== undefined) spent = { ...spent, wallMs: spent.wallMs + since(at) }
    },
  }
}
