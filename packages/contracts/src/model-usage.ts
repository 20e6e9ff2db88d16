import type { RaisedLimit } from './shared-budget.ts'
import type { Usage } from './values.ts'

/** The day (UTC) of a time in milliseconds since the epoch: "2026-11-21". */
export const utcDay = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** What models were used for one run with one model on one day (UTC). */
export interface ModelUsage {
  /** "2026-11-21", UTC */
  day: string
  tenant: string
  /** The API key that ordered the run; "" where no key is asked for. */
  keyId: string
  sessionId: string
  runId: string
  /** "provider/model"; "" for the time of a run that has called none. */
  model: string
  /** Calls that were answered, and those that were broken off on our side after they had reached the provider. */
  calls: number
  tokens: Usage['tokens']
  /** Of the calls whose price is known. */
  costUsd: number
  /** Calls whose cost is not known: no price, or no count of tokens. */
  unpriced: number
  /** Calls that were answered to the end without a count of their tokens. */
  uncounted: number
  /** Calls that were broken off: of their tokens at least a part is an estimate. */
  estimated: number
  /** How long the run worked, milliseconds. */
  wallMs: number
}

/** Sums of usage; `costUsd` is of the calls whose price is known. */
export type ModelUsageTotals = Pick<
  ModelUsage,
  'calls' | 'tokens' | 'costUsd' | 'unpriced' | 'uncounted' | 'estimated' | 'wallMs'
>

/** The sum of nothing. */
export const noTotals: ModelUsageTotals = {
  calls: 0,
  tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
  costUsd: 0,
  unpriced: 0,
  uncounted: 0,
  estimated: 0,
  wallMs: 0,
}

/** Whose usage is summed: of a tenant or a key on one day, or as far back as it is kept. */
export type UsageOf =
  | { runId: string }
  | { sessionId: string }
  | { tenant: string; day: string }
  | { keyId: string; day?: string }

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

/** A row of a report: `group` is a run id, a session id, the id of a key (the tenant where there was none) or a day. */
export interface UsageReportRow extends ModelUsageTotals {
  group: string
  model: string
}

/**
 * Where it is kept what models were used for. Throws as `Store` does. Once a session is forgotten, its usage is known by
 * day, key and model alone.
 */
export interface UsageLog {
  /** Adds to what is there of the same run, model and day. */
  addUsage(usage: ModelUsage): Promise<void>
  sumUsage(of: UsageOf): Promise<ModelUsageTotals>
  /** The limits of a budget that were raised last, one each, whatever day or setting that was for. */
  listRaised(of: Pick<RaisedLimit, 'owner' | 'id'>): Promise<readonly RaisedLimit[]>
  /** In the order of group and model. */
  reportUsage(query: UsageQuery): Promise<readonly UsageReportRow[]>
  /** Drops what forgotten sessions used on days before this one, the oldest first; at most `limit` rows. */
  dropUsage(before: string, limit: number): Promise<number>
}
