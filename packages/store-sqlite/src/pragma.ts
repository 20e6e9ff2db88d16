import type { DatabaseSync } from 'node:sqlite'

/** The number a pragma answers with. */
export function pragma(db: DatabaseSync, name: string): number {
  const row = db.prepare(`PRAGMA ${name}`).get()
  return Number(Object.values(row ?? {})[0] ?? 0)
}
