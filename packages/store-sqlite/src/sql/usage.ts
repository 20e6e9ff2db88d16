import type { ModelUsage, UsageQuery } from '@opencode-gateway/contracts'
import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

export interface UsageSums {
  calls: number
  input: number
  output: number
  reasoning: number
  cache_read: number
  cache_write: number
  cost_usd: number
  unpriced: number
  uncounted: number
}

export interface UsageRecord extends UsageSums {
  group: string
  model: string
}

export type UsageOf = { runId: string } | { sessionId: string } | { tenant: string; day: string }

const counters = [
  'calls',
  'input',
  'output',
  'reasoning',
  'cache_read',
  'cache_write',
  'cost_usd',
  'unpriced',
  'uncounted',
]
const sums = counters.map((name) => `coalesce(sum(${name}), 0) AS ${name}`).join(', ')

/** What a report has one row for, by its column. */
const columnOf = { run: 'run_id', session: 'session_id', key: 'tenant', day: 'day' } as const

export function createUsageSql(db: DatabaseSync) {
  const add = db.prepare(`
    INSERT INTO model_usage (run_id, day, model, tenant, session_id, ${counters.join(', ')})
    VALUES (?, ?, ?, ?, ?${', ?'.repeat(counters.length)})
    ON CONFLICT (run_id, day, model) DO UPDATE SET
      ${counters.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`)
  const ofRun = prepareQuery<UsageSums>(db, `SELECT ${sums} FROM model_usage WHERE run_id = ?`)
  const ofSession = prepareQuery<UsageSums>(db, `SELECT ${sums} FROM model_usage WHERE session_id = ?`)
  const ofDay = prepareQuery<UsageSums>(db, `SELECT ${sums} FROM model_usage WHERE tenant = ? AND day = ?`)
  const report = (by: keyof typeof columnOf) =>
    prepareQuery<UsageRecord>(
      db,
      `SELECT ${columnOf[by]} AS "group", model, ${sums} FROM model_usage
       WHERE tenant = ?1 AND day >= ?2 AND day <= ?3 AND (?4 IS NULL OR session_id = ?4) AND (?5 IS NULL OR run_id = ?5)
       GROUP BY ${columnOf[by]}, model ORDER BY ${columnOf[by]}, model LIMIT ?6`,
    )
  const reports = { run: report('run'), session: report('session'), key: report('key'), day: report('day') }

  return {
    addUsage({ runId, day, model, tenant, sessionId, tokens, ...usage }: ModelUsage): void {
      const { input, output, reasoning, cache_read: read, cache_write: write } = tokens
      const { calls, costUsd, unpriced, uncounted } = usage
      const counted = [calls, input, output, reasoning, read, write, costUsd, unpriced, uncounted]
      add.run(runId, day, model, tenant, sessionId, ...counted)
    },
    sumUsage(of: UsageOf): UsageSums | undefined {
      if ('runId' in of) return ofRun.get(of.runId)
      return 'sessionId' in of ? ofSession.get(of.sessionId) : ofDay.get(of.tenant, of.day)
    },
    reportUsage({ tenant, by, sessionId, runId, from = '', to = '9', limit }: UsageQuery): UsageRecord[] {
      return reports[by].all(tenant, from, to, sessionId ?? null, runId ?? null, limit)
    },
  }
}
