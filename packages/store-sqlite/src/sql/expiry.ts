import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

interface Log {
  id: number
  firstSeq: number
  lastSeq: number
}

export function createExpirySql(db: DatabaseSync) {
  const oldest = prepareQuery<Log>(
    db,
    `SELECT id, first_seq AS firstSeq, last_seq AS lastSeq FROM sessions
     WHERE head_ended_at < ? ORDER BY head_ended_at LIMIT 1`,
  )
  const firstKept = prepareQuery<{ seq: number }>(
    db,
    `SELECT e.seq FROM events e JOIN runs r ON r.id = e.run
     WHERE e.session = ? AND e.seq BETWEEN ? AND ? AND (r.ended_at IS NULL OR r.ended_at >= ?) ORDER BY e.seq LIMIT 1`,
  )
  const drop = db.prepare('DELETE FROM events WHERE session = ? AND seq < ?')
  const owner = prepareQuery<{ run: number; endedAt: number | null }>(
    db,
    `SELECT r.id AS run, r.ended_at AS endedAt FROM events e JOIN runs r ON r.id = e.run
     WHERE e.session = ? AND e.seq = ?`,
  )
  const trimmed = db.prepare('UPDATE sessions SET first_seq = ?, head_run = ?, head_ended_at = ? WHERE id = ?')
  const dropKeys = db.prepare(`
    DELETE FROM idempotency_keys WHERE (tenant, route, key) IN
      (SELECT tenant, route, key FROM idempotency_keys WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`)

  /** Drops a prefix of the log, so that what is kept stays dense: up to an event that is still wanted. */
  function trim(log: Log, before: number, limit: number): number {
    const last = Math.min(log.lastSeq, log.firstSeq + limit - 1)
    const keepFrom = firstKept.get(log.id, log.firstSeq, last, before)?.seq ?? last + 1
    drop.run(log.id, keepFrom)
    const head = owner.get(log.id, keepFrom)
    trimmed.run(keepFrom, head?.run ?? null, head?.endedAt ?? null, log.id)
    return keepFrom - log.firstSeq
  }

  return {
    expire(before: number, now: number, limit: number): { events: number; keys: number } {
      let events = 0
      while (events < limit) {
        const log = oldest.get(before)
        if (log === undefined) break
        events += trim(log, before, limit - events)
      }
      return { events, keys: Number(dropKeys.run(now, limit).changes) }
    },
  }
}
