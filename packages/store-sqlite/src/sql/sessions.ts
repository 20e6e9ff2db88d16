import type { ExecutorRef, NewSession } from '@opencode-gateway/contracts'
import type { DatabaseSync } from 'node:sqlite'
import { NoSession } from '../failure.ts'
import type { SessionRecord } from '../records.ts'
import { prepareQuery } from './query.ts'

export const sessionColumns = `
  SELECT s.id, s.session_id, s.tenant, s.executor, s.title, s.labels, s.created_at, s.updated_at, s.ref, s.one_shot,
    s.keep_workspace, s.retention_ms, s.closed_at, s.released_at, s.first_seq, s.last_seq, s.open_runs, s.status,
    current.run_id AS current_run_id`
const currentRun = 'LEFT JOIN runs current ON current.id = s.current_run'
export const fromSessions = `FROM sessions s ${currentRun}`
/** The labels lead: their key has the order of a list. CROSS keeps SQLite from turning the join round. */
export const fromLabels = `FROM session_labels l CROSS JOIN sessions s ON s.id = l.session ${currentRun}`
const selectSession = `${sessionColumns} ${fromSessions}`

export type SessionSql = ReturnType<typeof createSessionSql>

export function createSessionSql(db: DatabaseSync) {
  const byId = prepareQuery<SessionRecord>(db, `${selectSession} WHERE s.session_id = ?`)
  const byNumber = prepareQuery<SessionRecord>(db, `${selectSession} WHERE s.id = ?`)
  const numberOf = prepareQuery<{ id: number }>(db, 'SELECT id FROM sessions WHERE session_id = ?')
  const insert = db.prepare(`
    INSERT INTO sessions (session_id, tenant, executor, title, labels, created_at, updated_at, one_shot, keep_workspace, ref,
      retention_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const insertLabel = db.prepare('INSERT INTO session_labels VALUES (?, ?, ?, ?, ?, ?)')
  const insertFill = db.prepare('INSERT INTO session_fills VALUES (?, ?)')
  const fill = prepareQuery<{ fill: string }>(
    db,
    'SELECT f.fill FROM session_fills f JOIN sessions s ON s.id = f.session WHERE s.session_id = ?',
  )
  // The first event of an empty log belongs to the run that is added.
  const addRun = db.prepare(`
    UPDATE sessions SET open_runs = open_runs + 1,
      current_run = CASE WHEN open_runs = 0 THEN :run ELSE current_run END,
      status = CASE WHEN open_runs = 0 THEN 'pending' ELSE status END,
      head_run = CASE WHEN first_seq > last_seq THEN :run ELSE head_run END,
      head_ended_at = CASE WHEN first_seq > last_seq THEN NULL ELSE head_ended_at END
    WHERE id = :session`)
  const follow = db.prepare('UPDATE sessions SET status = ? WHERE id = ? AND current_run = ?')
  const endRun = db.prepare('UPDATE sessions SET open_runs = open_runs - 1 WHERE id = ?')
  const moveOn = db.prepare(`
    UPDATE sessions SET (current_run, status) = (
      SELECT id, CASE WHEN state IN ('queued', 'starting') THEN 'pending' ELSE state END FROM runs WHERE id = coalesce(
        (SELECT id FROM runs WHERE session = :session AND ended_at IS NULL ORDER BY id LIMIT 1),
        (SELECT max(id) FROM runs WHERE session = :session))
    ) WHERE id = :session AND current_run = :run`)
  const endHead = db.prepare('UPDATE sessions SET head_ended_at = ? WHERE id = ? AND head_run = ?')
  const ref = db.prepare('UPDATE sessions SET ref = ?, released_at = NULL WHERE session_id = ?')
  const touch = db.prepare(
    'UPDATE sessions SET updated_at = max(updated_at, :at) WHERE session_id = :id AND closed_at IS NULL',
  )
  const close = db.prepare(`
    UPDATE sessions SET closed_at = coalesce(closed_at, :at), updated_at = max(updated_at, :at) WHERE session_id = :id`)
  const forget = db.prepare(`
    UPDATE session_fills SET fill = json_remove(fill, '$.repository.sealedCredentials')
    WHERE session = (SELECT id FROM sessions WHERE session_id = ?) AND fill ->> '$.repository.sealedCredentials' IS NOT NULL`)
  const release = db.prepare('UPDATE sessions SET released_at = coalesce(released_at, ?) WHERE session_id = ?')

  function mark(sessionId: string, changes: number | bigint): void {
    if (changes === 0) throw new NoSession(sessionId)
  }

  return {
    get: (sessionId: string) => byId.get(sessionId),
    getByNumber: (session: number) => byNumber.get(session),
    numberOf: (sessionId: string) => numberOf.get(sessionId)?.id,

    getFill: (sessionId: string) => fill.get(sessionId)?.fill,

    insert(session: NewSession): number {
      const { sessionId, tenant, executor, title, labels, createdAt, oneShot, keepWorkspace } = session
      const { lastInsertRowid } = insert.run(
        sessionId,
        tenant,
        executor,
        title,
        JSON.stringify(labels),
        createdAt,
        createdAt,
        Number(oneShot),
        Number(keepWorkspace),
        session.ref === undefined ? null : JSON.stringify(session.ref),
        session.retentionMs ?? null,
      )
      for (const [name, value] of Object.entries(labels)) {
        insertLabel.run(tenant, name, value, createdAt, sessionId, lastInsertRowid)
      }
      if (session.fill) insertFill.run(lastInsertRowid, JSON.stringify(session.fill))
      return Number(lastInsertRowid)
    },

    addRun: (session: number, run: number) => addRun.run({ session, run }),

    /** The session shows what its current run does. */
    follow(session: number, run: number, state: string): void {
      follow.run(state === 'queued' || state === 'starting' ? 'pending' : state, session, run)
    },
    /** The run has ended, as its row says already. The session shows its next one, or the latest when none is open. */
    endRun(session: number, run: number, endedAt: number): void {
      endRun.run(session)
      moveOn.run({ session, run })
      endHead.run(endedAt, session, run)
    },

    setRef: (sessionId: string, value: ExecutorRef) =>
      mark(sessionId, ref.run(JSON.stringify(value), sessionId).changes),
    touch(sessionId: string, at: number): boolean {
      if (touch.run({ id: sessionId, at }).changes > 0) return true
      mark(sessionId, numberOf.get(sessionId)?.id ?? 0)
      return false
    },
    close(sessionId: string, at: number): void {
      mark(sessionId, close.run({ id: sessionId, at }).changes)
      forget.run(sessionId)
    },
    setReleased: (sessionId: string, at: number) => mark(sessionId, release.run(at, sessionId).changes),
  }
}
