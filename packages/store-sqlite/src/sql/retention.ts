import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'
import type { UsageSql } from './usage.ts'

interface OldSession {
  id: number
  firstSeq: number
  lastSeq: number
}

/** What becomes of sessions that nobody uses any more. */
export function createRetentionSql(db: DatabaseSync, usage: Pick<UsageSql, 'foldRuns'>) {
  const idle = prepareQuery<{ id: number }>(
    db,
    `SELECT id FROM sessions WHERE closed_at IS NULL AND open_runs = 0 AND updated_at + retention_ms <= ?
     ORDER BY updated_at + retention_ms LIMIT ?`,
  )
  const close = db.prepare('UPDATE sessions SET closed_at = :at, updated_at = max(updated_at, :at) WHERE id = :id')
  const forgetCredentials = db.prepare(`
    UPDATE session_fills SET fill = json_remove(fill, '$.repository.sealedCredentials')
    WHERE session = ? AND fill ->> '$.repository.sealedCredentials' IS NOT NULL`)
  const adopt = db.prepare(`
    UPDATE sessions SET retention_ms = max(:at - updated_at, 0) + :retentionMs WHERE id IN
      (SELECT id FROM sessions WHERE closed_at IS NULL AND retention_ms IS NULL LIMIT :limit)`)
  const oldest = prepareQuery<OldSession>(
    db,
    `SELECT id, first_seq AS firstSeq, last_seq AS lastSeq FROM sessions
     WHERE closed_at IS NOT NULL AND released_at IS NOT NULL AND open_runs = 0 AND updated_at < ?
     ORDER BY updated_at LIMIT 1`,
  )
  const dropEvents = db.prepare('DELETE FROM events WHERE session = ? AND seq < ?')
  // Nothing else is to expire in a log that is being dropped.
  const trimmed = db.prepare('UPDATE sessions SET first_seq = ?, head_run = NULL, head_ended_at = NULL WHERE id = ?')
  const someRuns = 'SELECT id FROM runs WHERE session = ? ORDER BY id LIMIT ?'
  const dropInputs = db.prepare(`DELETE FROM run_inputs WHERE run IN (${someRuns})`)
  const dropRuns = db.prepare(`DELETE FROM runs WHERE id IN (${someRuns})`)
  const dropRest = ['session_labels', 'session_fills', 'idempotency_keys'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE session = ?`),
  )
  const dropRaised = db.prepare(`
    DELETE FROM raised_limits WHERE owner = 'session' AND id = (SELECT session_id FROM sessions WHERE id = ?)`)
  const dropSession = db.prepare('DELETE FROM sessions WHERE id = ?')

  /** The log first, its oldest part first, then the runs, and what names them last. */
  function dropSome({ id, firstSeq, lastSeq }: OldSession, room: number): { rows: number; whole: boolean } {
    const events = Math.min(room, lastSeq - firstSeq + 1)
    if (events > 0) {
      dropEvents.run(id, firstSeq + events)
      trimmed.run(firstSeq + events, id)
    }
    if (events === room) return { rows: events, whole: false }
    usage.foldRuns(id, room - events)
    dropInputs.run(id, room - events)
    const rows = events + Number(dropRuns.run(id, room - events).changes)
    if (rows === room) return { rows, whole: false }
    for (const drop of [...dropRest, dropRaised]) drop.run(id)
    dropSession.run(id)
    return { rows: rows + 1, whole: true }
  }

  return {
    /** Their numbers, the one that is over longest first. */
    closeExpired(now: number, limit: number): number[] {
      const expired = idle.all(now, limit).map(({ id }) => id)
      for (const id of expired) {
        close.run({ at: now, id })
        forgetCredentials.run(id)
      }
      return expired
    },

    adoptRetention: (retentionMs: number, at: number, limit: number): number =>
      Number(adopt.run({ retentionMs, at, limit }).changes),

    forget(before: number, limit: number): { sessions: number; rows: number } {
      let [sessions, rows] = [0, 0]
      while (rows < limit) {
        const session = oldest.get(before)
        if (session === undefined) break
        const dropped = dropSome(session, limit - rows)
        rows += dropped.rows
        if (dropped.whole) sessions += 1
      }
      return { sessions, rows }
    },
  }
}
