import type { RaisedLimit } from '@opencode-gateway/contracts'
import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

export type RaisedSql = ReturnType<typeof createRaisedSql>

/** How far budgets that runs share have been raised. */
export function createRaisedSql(db: DatabaseSync) {
  const add = db.prepare(`
    INSERT INTO raised_limits (owner, id, name, day, configured, more) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (owner, id, name) DO UPDATE SET day = excluded.day, configured = excluded.configured,
      more = excluded.more + iif(day = excluded.day AND configured = excluded.configured, more, 0)`)
  const list = prepareQuery<RaisedLimit>(
    db,
    'SELECT owner, id, day, name AS "limit", configured, more FROM raised_limits WHERE owner = ? AND id = ?',
  )

  return {
    add({ owner, id, limit, day, configured, more }: RaisedLimit): void {
      add.run(owner, id, limit, day, configured, more)
    },
    list: ({ owner, id }: Pick<RaisedLimit, 'owner' | 'id'>): RaisedLimit[] =>
      list.all(owner, id).map((row) => ({ ...row })),
  }
}
