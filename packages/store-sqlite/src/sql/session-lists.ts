import type { SessionQuery } from '@opencode-gateway/contracts'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { SessionRecord } from '../records.ts'
import { prepareQuery, type Query } from './query.ts'
import { fromLabels, fromSessions, sessionColumns } from './sessions.ts'

/** Lists of sessions, each along an index. */
export function createSessionLists(db: DatabaseSync) {
  // One statement per combination of filters that has been asked for: at most 16.
  const statements = new Map<string, Query<SessionRecord>>()
  const held = prepareQuery<SessionRecord>(
    db,
    `${sessionColumns} ${fromSessions} WHERE s.released_at IS NULL AND (s.created_at, s.session_id) > (?, ?)
     ORDER BY s.created_at, s.session_id LIMIT ?`,
  )

  return {
    list(query: SessionQuery): SessionRecord[] {
      const { sql, params } = listSql(query)
      const statement = statements.get(sql) ?? prepareQuery<SessionRecord>(db, sql)
      statements.set(sql, statement)
      return statement.all(...params)
    },
    held: (limit: number, after: { createdAt: number; sessionId: string } | undefined) =>
      held.all(after?.createdAt ?? Number.MIN_SAFE_INTEGER, after?.sessionId ?? '', limit),
  }
}

function listSql(query: SessionQuery): { sql: string; params: SQLInputValue[] } {
  const { tenant, status, executor, label, before, limit } = query
  const lead = label === undefined ? 's' : 'l'
  const where = [`${lead}.tenant = ?`]
  const params: SQLInputValue[] = [tenant]
  const and = (condition: string, ...values: SQLInputValue[]): void => {
    where.push(condition)
    params.push(...values)
  }
  if (label !== undefined) and('l.name = ? AND l.value = ?', label.name, label.value)
  if (status !== undefined) and('s.status = ?', status)
  if (executor !== undefined) and('s.executor = ?', executor)
  if (before !== undefined) and(`(${lead}.created_at, ${lead}.session_id) < (?, ?)`, before.createdAt, before.sessionId)
  params.push(limit)
  return {
    sql: `${sessionColumns} ${label === undefined ? fromSessions : fromLabels} WHERE ${where.join(' AND ')}
      ORDER BY ${lead}.created_at DESC, ${lead}.session_id DESC LIMIT ?`,
    params,
  }
}
