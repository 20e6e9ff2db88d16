import type { Usage } from './values.ts'

/** What models were used for one run with one model on one day (UTC). */
export interface ModelUsage {
  /** "2026-11-21", UTC */
  day: string
  tenant: string
  sessionId: string
  runId: string
  /** "provider/model" */
  model: string
  /** Calls that were answered. */
  calls: number
  tokens: Usage['tokens']
  /** Of the calls whose price is known. */
  costUsd: number
  /** Calls whose cost is not known: no price, or no count of tokens. */
  unpriced: number
  /** Calls that were answered to the end without a count of their tokens. */
  uncounted: number
}

/** Sums of usage; `costUsd` is of the calls whose price is known. */
export type ModelUsageTotals = Pick<ModelUsage, 'calls' | 'tokens' | 'costUsd' | 'unpriced' | 'uncounted'>

export const usageGroups = ['run', 'session', 'key', 'day'] as const
export type UsageGroup = (typeof usageGroups)[number]

export interface UsageQuery {
  tenant: string
  /** One row for each of these and each model. */
  by: UsageGroup
  sessionId?: string
  runId?: string
  /** Days from this one on, and to this one; "2026-11-21". */
  from?: string
  to?: string
  limit: number
}

/** A row of a report: `group` is a run id, a session id, the tenant of a key or a day. */
export interface UsageReportRow extends ModelUsageTotals {
  group: string
  model: string
}

/** Where it is kept what models were used for. Throws as `Store` does. */
export interface UsageLog {
  /** Adds to what is there of the same run, model and day. */
  addUsage(usage: ModelUsage): Promise<void>
  /** Sums of a run, of a session, or of a tenant on a day. */
  sumUsage(of: { runId: string } | { sessionId: string } | { tenant: string; day: string }): Promise<ModelUsageTotals>
  /** In the order of group and model. */
  reportUsage(query: UsageQuery): Promise<readonly UsageReportRow[]>
}
