import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { migrate } from '../src/migrate.ts'
import { migrations } from '../src/migrations.ts'
import { createOperations } from '../src/operations.ts'

const partialIndexes = ['runs_unfinished', 'runs_queued', 'runs_at_work']

/** A report sums what one tenant has used in its days; nobody waits for it in a run. */
const report = /FROM model_usage[^]*WHERE tenant = \?1 AND day >= \?2 AND day <= \?3[^]*GROUP BY/

/** Notes every statement that is prepared. */
class NotingDatabase extends DatabaseSync {
  readonly statements: string[] = []
  override prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    this.statements.push(sql)
    return super.prepare(sql)
  }
}

it('no statement reads a whole table or sorts what it has read', () => {
  using db = new NotingDatabase(':memory:')
  migrate(db, migrations)
  db.statements.length = 0
  const { reads } = createOperations(db)
  const before = { createdAt: 1, sessionId: 's1' }
  const label = { name: 'a', value: 'b' }
  for (const filter of [
    {},
    { before },
    { status: 'idle' } as const,
    { executor: 'server' },
    { label },
    { label, before },
  ]) {
    reads.listSessions({ tenant: 'acme', limit: 1, ...filter })
  }
  assert.ok(db.statements.length > 40)
  for (const sql of db.statements.slice()) {
    for (const { detail } of db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()) {
      const plan = String(detail)
      // What a subquery reads is a line of its own.
      const reads = plan.startsWith('SCAN') && !/^SCAN \(subquery-\d+\)$/.test(plan)
      const scans = reads && !partialIndexes.some((index) => plan.endsWith(`USING INDEX ${index}`))
      assert.ok(!scans && (!plan.includes('TEMP B-TREE') || report.test(sql)), `${plan}: ${sql}`)
    }
  }
})
