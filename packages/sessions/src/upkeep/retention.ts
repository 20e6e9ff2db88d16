import { utcDay, type Log, type SessionRow, type Store, type UsageLog } from '@opencode-gateway/contracts'
import { inParallel } from '../waiting/in-parallel.ts'

export interface Retention {
  close(): Promise<void>
}

export interface RetentionOptions {
  store: Pick<Store, 'expire' | 'adoptRetention' | 'closeExpired' | 'forget'> & Pick<UsageLog, 'dropUsage'>
  log: Log
  /** How long events of ended runs are kept, milliseconds. */
  keepEventsMs: number
  /** How long a closed session can be read, milliseconds. */
  keepSessionsMs: number
  /** How long it is kept what models were used for in sessions that are forgotten, milliseconds. */
  keepUsageMs: number
  /** For sessions of before there was a retention, milliseconds. */
  adoptMs: number
  intervalMs: number
  /** Gives back what a closed session holds. */
  release(session: SessionRow): Promise<void>
}

/** Rows removed in one transaction, so that writers wait only briefly. */
const rowsAtOnce = 1_000
/** Sessions closed in one transaction, and how many of them are given back at the same time. */
const sessionsAtOnce = 50
const releasesAtOnce = 4
/** Those that could not be given back are tried again; of more the next start of the gateway takes care. */
const maxUnreleased = 1_000

/** Drops what is older than it is kept, every `intervalMs`, in small transactions. */
export function startRetention(options: RetentionOptions): Retention {
  const { store, log, keepEventsMs, keepSessionsMs, keepUsageMs, adoptMs, intervalMs, release } = options
  const unreleased = new Map<string, SessionRow>()
  let running: Promise<void> | undefined
  let closed = false

  async function expireEvents(): Promise<void> {
    for (;;) {
      const now = Date.now()
      const removed = await store.expire(now - keepEventsMs, now, rowsAtOnce)
      if (removed.events > 0) log.debug(removed, 'old events removed')
      if (closed || (removed.events < rowsAtOnce && removed.keys < rowsAtOnce)) return
    }
  }

  async function giveBack(sessions: readonly SessionRow[]): Promise<void> {
    await inParallel(sessions, releasesAtOnce, async (session) => {
      const { sessionId } = session
      try {
        if (!closed) await release(session)
        unreleased.delete(sessionId)
      } catch (err) {
        if (unreleased.size < maxUnreleased) unreleased.set(sessionId, session)
        log.warn({ err, sessionId }, 'a session whose retention is over could not be released and is tried again')
      }
    })
  }

  async function adoptSessions(): Promise<void> {
    for (let adopted = rowsAtOnce; adopted === rowsAtOnce && !closed;) {
      adopted = await store.adoptRetention(adoptMs, Date.now(), rowsAtOnce)
      if (adopted > 0)
        log.info({ sessions: adopted, retentionMs: adoptMs }, 'sessions without a retention have one now')
    }
  }

  async function closeSessions(): Promise<void> {
    await giveBack([...unreleased.values()])
    for (;;) {
      const expired = closed ? [] : await store.closeExpired(Date.now(), sessionsAtOnce)
      for (const { sessionId, retentionMs } of expired)
        log.info({ sessionId, retentionMs }, 'the retention of the session is over')
      await giveBack(expired)
      if (expired.length < sessionsAtOnce) return
    }
  }

  async function forgetSessions(): Promise<void> {
    for (;;) {
      const forgotten = await store.forget(Date.now() - keepSessionsMs, rowsAtOnce)
      if (forgotten.rows > 0) log.debug(forgotten, 'old sessions removed')
      if (closed || forgotten.rows < rowsAtOnce) return
    }
  }

  async function dropUsage(): Promise<void> {
    const before = utcDay(Date.now() - keepUsageMs)
    for (let dropped = rowsAtOnce; dropped === rowsAtOnce && !closed;) {
      dropped = await store.dropUsage(before, rowsAtOnce)
      if (dropped > 0) log.debug({ rows: dropped, before }, 'old usage removed')
    }
  }

  /** One that fails takes nothing from the others. */
  async function round(): Promise<void> {
    for (const step of [adoptSessions, closeSessions, expireEvents, forgetSessions, dropUsage]) {
      await step().catch((err: unknown) => log.error({ err }, 'what is old could not be removed'))
    }
  }

  const timer = setInterval(() => {
    running ??= round().finally(() => {
      running = undefined
    })
  }, intervalMs)

  return {
    async close() {
      closed = true
      clearInterval(timer)
      await running
    },
  }
}
