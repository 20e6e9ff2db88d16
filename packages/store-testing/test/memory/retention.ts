import { forgetCredentials, knownSession, limited, type Disk, type Steps } from './disk.ts'
import { foldRun } from './usage.ts'

export function retentionSteps(disk: Disk): Pick<Steps, 'closeExpired' | 'adoptRetention' | 'forget'> {
  function dropSome(sessionId: string, room: number): { rows: number; whole: boolean } {
    const session = knownSession(disk, sessionId)
    const log = disk.logs.get(sessionId) ?? []
    let rows = log.splice(0, room).length
    session.firstSeq += rows
    for (const run of disk.runs.values()) {
      if (run.sessionId !== sessionId || rows >= room) continue
      disk.runs.delete(run.runId)
      foldRun(disk, run.runId)
      rows += 1
    }
    if (rows >= room) return { rows, whole: false }
    disk.sessions.delete(sessionId)
    disk.fills.delete(sessionId)
    disk.raised = disk.raised.filter(({ owner, id }) => owner !== 'session' || id !== sessionId)
    disk.logs.delete(sessionId)
    for (const [name, key] of disk.keys) if (key.sessionId === sessionId) disk.keys.delete(name)
    return { rows: rows + 1, whole: true }
  }

  return {
    closeExpired(now, limit) {
      const over = [...disk.sessions.values()].flatMap((session) => {
        const { retentionMs, closedAt, openRuns, updatedAt } = session
        const at =
          retentionMs === undefined || closedAt !== undefined || openRuns > 0 ? now + 1 : updatedAt + retentionMs
        return at <= now ? [{ session, at }] : []
      })
      const closed = limited(
        over.toSorted((a, b) => a.at - b.at),
        limit,
      ).map(({ session }) => session)
      for (const session of closed) {
        Object.assign(session, { closedAt: now, updatedAt: Math.max(session.updatedAt, now) })
        forgetCredentials(disk, session.sessionId)
      }
      return closed
    },
    adoptRetention(retentionMs, at, limit) {
      const without = [...disk.sessions.values()].filter(
        (session) => session.retentionMs === undefined && session.closedAt === undefined,
      )
      const adopting = limited(without, limit)
      for (const session of adopting) session.retentionMs = Math.max(at - session.updatedAt, 0) + retentionMs
      return adopting.length
    },
    forget(before, limit) {
      limited([], limit)
      const old = [...disk.sessions.values()].filter(
        ({ closedAt, releasedAt, openRuns, updatedAt }) =>
          closedAt !== undefined && releasedAt !== undefined && openRuns === 0 && updatedAt < before,
      )
      let [sessions, rows] = [0, 0]
      for (const { sessionId } of old.toSorted((a, b) => a.updatedAt - b.updatedAt)) {
        if (rows >= limit) break
        const dropped = dropSome(sessionId, limit - rows)
        rows += dropped.rows
        if (dropped.whole) sessions += 1
      }
      return { sessions, rows }
    },
  }
}
