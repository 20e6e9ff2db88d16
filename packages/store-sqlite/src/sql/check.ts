import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

/** Proof that the database can be written and read: a number that grows. */
export function createCheckSql(db: DatabaseSync) {
  const write = prepareQuery<{ value: number }>(
    db,
    "UPDATE counters SET value = value + 1 WHERE name = 'checks' RETURNING value",
  )
  const read = prepareQuery<{ value: number }>(db, "SELECT value FROM counters WHERE name = 'checks'")
  return { write: () => write.get()?.value, read: () => read.get()?.value }
}
