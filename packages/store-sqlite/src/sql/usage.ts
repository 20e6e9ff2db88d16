import type { ModelUsage, UsageOf, UsageQuery } from '@opencode-gateway/contracts'
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
  estimated: number
  wall_ms: number
}

export interface UsageRecord extends UsageSums {
  group: string
  model: string
}

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
  'estimated',
  'wall_ms',
]
const sums = counters.map((name) => `coalesce(sum(${name}), 0) AS ${name}`).join(', ')
const added = counters.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')

/** What a report has one row for, by its column. */
const columnOf = {
  run: 'run_id',
  session: 'session_id',
  key: "CASE key_id WHEN '' THEN tenant ELSE key_id END",
  day: 'day',
} as const

const kept = `SELECT tenant, day, key_id, model, session_id, run_id, ${counters.join(', ')} FROM model_usage`
const ofDays = `SELECT tenant, day, key_id, model, NULL, NULL, ${counters.join(', ')} FROM usage_days`
/** Sessions and runs are not known any more of what is kept by day. */
const sourceOf = {
  run: kept,
  session: kept,
  key: `${kept} UNION ALL ${ofDays}`,
  day: `${kept} UNION ALL ${ofDays}`,
} as const

export function createUsageSql(db: DatabaseSync) {
  const add = db.prepare(`
    INSERT INTO model_usage (run_id, day, model, tenant, key_id, session_id, ${counters.join(', ')})
    VALUES (?, ?, ?, ?, ?, ?${', ?'.repeat(counters.length)})
    ON CONFLICT (run_id, day, model) DO UPDATE SET ${added}`)
  const sum = (where: string, source = `${kept} UNION ALL ${ofDays}`) =>
    prepareQuery<UsageSums>(db, `SELECT ${sums} FROM (${source}) WHERE ${where}`)
  const ofRun = sum('run_id = ?', kept)
  const ofSession = sum('session_id = ?', kept)
  const ofDay = sum('tenant = ? AND day = ?')
  const ofKey = sum('key_id = ?')
  const ofKeyAndDay = sum('key_id = ? AND day = ?')
  const report = (by: keyof typeof columnOf) =>
    prepareQuery<UsageRecord>(
      db,
      `SELECT ${columnOf[by]} AS "group", model, ${sums} FROM (${sourceOf[by]})
       WHERE tenant = ?1 AND day >= ?2 AND day <= ?3 AND (?4 IS NULL OR session_id = ?4) AND (?5 IS NULL OR run_id = ?5)
         AND calls > 0
       GROUP BY ${columnOf[by]}, model ORDER BY ${columnOf[by]}, model LIMIT ?6`,
    )
  const reports = { run: report('run'), session: report('session'), key: report('key'), day: report('day') }
  const drop = db.prepare(`
    DELETE FROM usage_days WHERE (tenant, day, key_id, model) IN
      (SELECT tenant, day, key_id, model FROM usage_days WHERE day < ? ORDER BY day LIMIT ?)`)
  const someRuns = 'SELECT run_id FROM runs WHERE session = ? ORDER BY id LIMIT ?'
  const fold = db.prepare(`
    INSERT INTO usage_days (tenant, day, key_id, model, ${counters.join(', ')})
    SELECT tenant, day, key_id, model, ${counters.join(', ')} FROM model_usage WHERE run_id IN (${someRuns})
    ON CONFLICT (tenant, day, key_id, model) DO UPDATE SET ${added}`)
  const dropFolded = db.prepare(`DELETE FROM model_usage WHERE run_id IN (${someRuns})`)

  return {
    addUsage({ runId, day, model, tenant, keyId, sessionId, tokens, ...usage }: ModelUsage): void {
      const { input, output, reasoning, cache_read: read, cache_write: write } = tokens
      const { calls, costUsd, unpriced, uncounted, estimated, wallMs } = usage
      const counted = [calls, input, output, reasoning, read, write, costUsd, unpriced, uncounted, estimated, wallMs]
      add.run(runId, day, model, tenant, keyId, sessionId, ...counted)
    },
    sumUsage(of: UsageOf): UsageSums | undefined {
      if ('runId' in of) return ofRun.get(of.runId)
      if ('sessionId' in of) return ofSession.get(of.sessionId)
      if ('tenant' in of) return ofDay.get(of.tenant, of.day)
      return of.day === undefined ? ofKey.get(of.keyId) : ofKeyAndDay.get(of.keyId, of.day)
    },
    reportUsage({ tenant, by, sessionId, runId, from = '', to = '9', limit }: UsageQuery): UsageRecord[] {
      return reports[by].all(tenant, from, to, sessionId ?? null, runId ?? null, limit)
    },
    dropUsage: (before: string, limit: number): number => Number(drop.run(before, limit).changes),
    /** The session's first runs are about to be dropped: from now on their usage is known by day alone. */
    foldRuns(session: number, runs: number): void {
      fold.run(session, runs)
      dropFolded.run(session, runs)
    },
  }
}

export type UsageSql = ReturnType<typeof createUsageSql>
