import type { EventQuery } from '@opencode-gateway/contracts'
import type { DatabaseSync } from 'node:sqlite'
import type { EventRecord, EventText } from '../records.ts'
import { prepareQuery } from './query.ts'

export type PageRecord =
  | { status: 'ok'; events: EventRecord[]; firstSeq: number; lastSeq: number }
  | { status: 'expired'; firstSeq: number; lastSeq: number }
  | { status: 'ahead'; lastSeq: number }
  | { status: 'not_found' }

/** The log an event goes to, and whose event it is. */
export interface LogPlace {
  session: number
  lastSeq: number
  run: number
  epoch: number
}

export type EventSql = ReturnType<typeof createEventSql>

export function createEventSql(db: DatabaseSync) {
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)')
  const advance = db.prepare('UPDATE sessions SET last_seq = ?, updated_at = max(updated_at, ?) WHERE id = ?')
  const bounds = prepareQuery<{ id: number; firstSeq: number; lastSeq: number }>(
    db,
    'SELECT id, first_seq AS firstSeq, last_seq AS lastSeq FROM sessions WHERE session_id = ?',
  )
  const page = prepareQuery<EventRecord>(
    db,
    `SELECT e.seq, r.run_id, e.type, e.at, e.json FROM events e LEFT JOIN runs r ON r.id = e.run
     WHERE e.session = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`,
  )

  const asked = prepareQuery<{ seq: number }>(
    db,
    `SELECT e.seq FROM events e JOIN sessions s ON s.id = e.session
     WHERE s.session_id = ? AND e.type = 'ask' AND json_extract(e.json, '$.ask_id') = ? LIMIT 1`,
  )

  function take(session: number, query: EventQuery): EventRecord[] {
    const { after, limit, maxBytes = Number.POSITIVE_INFINITY } = query
    const events: EventRecord[] = []
    let bytes = 0
    for (const event of page.iterate(session, after, limit)) {
      bytes += Buffer.byteLength(event.json)
      if (bytes > maxBytes && events.length > 0) break
      events.push(event)
    }
    return events
  }

  return {
    /** Gives the events the next numbers of the log. */
    append(place: LogPlace, events: readonly EventText[], at: number): { firstSeq: number; lastSeq: number } {
      let seq = place.lastSeq
      for (const [type, json] of events) {
        seq += 1
        insert.run(place.session, seq, place.run, place.epoch, type, at, json)
      }
      advance.run(seq, at, place.session)
      return { firstSeq: place.lastSeq + 1, lastSeq: seq }
    },

    wasAsked: (sessionId: string, askId: string) => asked.get(sessionId, askId) !== undefined,

    read(query: EventQuery): PageRecord {
      const session = bounds.get(query.sessionId)
      if (session === undefined) return { status: 'not_found' }
      const { id, firstSeq, lastSeq } = session
      if (query.after > lastSeq) return { status: 'ahead', lastSeq }
      if (query.after < firstSeq - 1) return { status: 'expired', firstSeq, lastSeq }
      return { status: 'ok', events: take(id, query), firstSeq, lastSeq }
    },
  }
}
