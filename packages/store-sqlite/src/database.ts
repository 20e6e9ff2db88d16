import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { takeLock } from './lock.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations.ts'
import { pragma } from './pragma.ts'
import type { WorkerOptions } from './protocol.ts'

export interface Database extends Disposable {
  db: DatabaseSync
  /** Schema versions before and after. */
  migrated: { from: number; to: number }
}

/** How long to wait for a program that has the database open besides us, for a backup say. */
const busyTimeoutMs = 5_000

/** Opens the database for this process alone and brings it up to date. */
export function openDatabase({ file, owner, maxFileBytes }: WorkerOptions): Database {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const lock = takeLock(file, owner)
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false })
    configure(db, maxFileBytes)
    const migrated = migrate(db, migrations)
    return { db, migrated, [Symbol.dispose]: () => closeBoth(db, lock) }
  } catch (error) {
    closeBoth(db, lock)
    throw error
  }
}

function configure(db: DatabaseSync, maxFileBytes: number | undefined): void {
  // The log is fsynced at every commit: what was acknowledged survives a loss of power.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  // Keeps the log file from staying as large as it was at its largest.
  db.exec('PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192')
  if (maxFileBytes !== undefined) {
    db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxFileBytes / pragma(db, 'page_size')))}`)
  }
}

function closeBoth(db: DatabaseSync | undefined, lock: Disposable): void {
  if (db?.isOpen) db.close()
  lock[Symbol.dispose]()
}
