import { DatabaseSync } from 'node:sqlite'
import { sqliteCode, Unusable } from './failure.ts'

const busy = 5

/**
 * Holds the data directory's database for this process. The lock is an open write transaction on a small database
 * beside the real one: the kernel drops it when the process dies, however it dies, and others can still read who has it.
 */
export function takeLock(file: string, owner: string): Disposable {
  const db = new DatabaseSync(`${file}-lock`, { timeout: 0 })
  try {
    hold(db, owner)
  } catch (error) {
    const holder = sqliteCode(error) === busy ? readHolder(db) : undefined
    db.close()
    throw holder === undefined ? error : inUse(holder)
  }
  return {
    [Symbol.dispose]() {
      if (db.isOpen) db.close()
    },
  }
}

const inUse = (holder: string): Unusable =>
  new Unusable(
    `it is in use by another gateway (${holder}). Stop that one, or give this one a data directory of its own`,
  )

/** Who holds it must be committed to be read by others, so the lock is let go once and taken again. */
function hold(db: DatabaseSync, owner: string): void {
  const holder = `pid ${process.pid}${owner === '' ? '' : `, ${owner}`}`
  db.exec('BEGIN IMMEDIATE')
  db.exec('CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY, name TEXT NOT NULL)')
  const read = db.prepare('SELECT name FROM holder WHERE id = 1')
  const write = db.prepare('INSERT OR REPLACE INTO holder VALUES (1, ?)')
  // Between the commit and the next begin another process may have got it; then the name is no longer ours.
  while (read.get()?.['name'] !== holder) {
    write.run(holder)
    db.exec('COMMIT; BEGIN IMMEDIATE')
  }
}

function readHolder(db: DatabaseSync): string {
  try {
    return String(db.prepare('SELECT name FROM holder WHERE id = 1').get()?.['name'] ?? 'just starting')
  } catch {
    // The holder is in the middle of writing its name.
    return 'just starting'
  }
}
