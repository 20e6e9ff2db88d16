import type { DatabaseSync } from 'node:sqlite'
import { Unusable } from './failure.ts'
import { pragma } from './pragma.ts'

/** Marks the file as ours, in SQLite's header. */
const applicationId = 0x0c6a7e01

/** Brings the schema up to date, each step in its transaction, and returns the version before and after. */
export function migrate(db: DatabaseSync, steps: readonly string[]): { from: number; to: number } {
  const from = pragma(db, 'user_version')
  if (pragma(db, 'application_id') !== applicationId && pragma(db, 'schema_version') !== 0) {
    throw new Unusable('it is a database of another program; point the gateway at a file of its own')
  }
  if (from > steps.length) {
    throw new Unusable(
      `its schema has version ${from} and this gateway knows up to ${steps.length}; use the newer gateway, or a backup from before the upgrade`,
    )
  }
  for (const [index, step] of steps.entries()) {
    if (index < from) continue
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(step)
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${index + 1}`)
      db.exec('COMMIT')
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
  return { from, to: steps.length }
}
