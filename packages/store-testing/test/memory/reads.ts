import type { EventQuery, LogEvent } from '@opencode-gateway/contracts'
import { claimable, limited, openRuns, queuedRuns, type Disk, type Steps } from './disk.ts'

type Reads = Pick<
  Steps,
  'check' | 'readEvents' | 'wasAsked' | `get${'Session' | 'Run' | 'RunKey' | 'Fill'}` | 'countQueued' | 'queuePosition'
> &
  ListSteps
type ListSteps = Pick<Steps, 'listSessions' | 'listRuns' | 'listOpenRuns' | 'listQueued' | 'listHeld'>

interface Place {
  createdAt: number
  sessionId: string
}

const byAge = (a: Place, b: Place): number => a.createdAt - b.createdAt || (a.sessionId < b.sessionId ? -1 : 1)
const isAfter = (a: Place, b: Place): boolean => a.sessionId !== b.sessionId && byAge(a, b) > 0

export function readSteps(disk: Disk): Reads {
  return {
    check() {},
    getSession: (sessionId) => disk.sessions.get(sessionId),
    getFill: (sessionId) => disk.fills.get(sessionId),
    getRun: (runId) => disk.runs.get(runId),
    getRunKey: (runId) => disk.runKeys.get(runId),
    listSessions({ tenant, status, executor, label, before, limit }) {
      const rows = [...disk.sessions.values()].filter(
        (row) =>
          row.tenant === tenant &&
          (status ?? row.status) === row.status &&
          (executor ?? row.executor) === row.executor &&
          (label === undefined || row.labels[label.name] === label.value) &&
          (before === undefined || isAfter(before, row)),
      )
      return limited(rows.toSorted(byAge).toReversed(), limit)
    },
    listHeld(limit, after) {
      const held = [...disk.sessions.values()].filter(({ releasedAt }) => releasedAt === undefined)
      return limited(held.filter((row) => after === undefined || isAfter(row, after)).toSorted(byAge), limit)
    },
    listRuns(sessionId, limit) {
      const runs = [...disk.runs.values()].filter((run) => run.sessionId === sessionId)
      return limited(runs.toReversed(), limit).toReversed()
    },
    listOpenRuns: (limit) => limited(openRuns(disk), limit),
    listQueued(limit) {
      const ready = queuedRuns(disk).filter((run) => claimable(disk, run))
      const ofTenant = Map.groupBy(ready, ({ tenant }) => tenant)
      const shown = new Set([...ofTenant.values()].flatMap((runs) => limited(runs, limit)))
      const runs = ready.filter((run) => shown.has(run))
      return runs.map(({ runId, sessionId, tenant, createdAt }) => ({ runId, sessionId, tenant, createdAt }))
    },
    countQueued: () => queuedRuns(disk).length,
    queuePosition(runId) {
      const index = queuedRuns(disk).findIndex((run) => run.runId === runId)
      return index === -1 ? undefined : index + 1
    },
    wasAsked: (sessionId, askId) =>
      (disk.logs.get(sessionId) ?? []).some(({ type, data }) => type === 'ask' && data.ask_id === askId),
    readEvents(query) {
      const session = disk.sessions.get(query.sessionId)
      if (!session) return { status: 'not_found' }
      const { firstSeq, lastSeq } = session
      if (query.after > lastSeq) return { status: 'ahead', lastSeq }
      if (query.after < firstSeq - 1) return { status: 'expired', firstSeq, lastSeq }
      return { status: 'ok', events: take(disk.logs.get(query.sessionId) ?? [], query), firstSeq, lastSeq }
    },
  }
}

function take(log: readonly LogEvent[], { after, limit, maxBytes = Number.POSITIVE_INFINITY }: EventQuery): LogEvent[] {
  const events = limited(
    log.filter(({ seq }) => seq > after),
    limit,
  )
  let bytes = 0
  const end = events.findIndex(({ data }, index) => {
    bytes += Buffer.byteLength(JSON.stringify(data))
    return bytes > maxBytes && index > 0
  })
  return end === -1 ? events : events.slice(0, end)
}
