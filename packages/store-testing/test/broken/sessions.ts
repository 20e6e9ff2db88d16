import type { SessionQuery, SessionRow } from '@opencode-gateway/contracts'
import { knownSession, type Disk } from '../memory/disk.ts'
import { broken, others } from './broken-store.ts'

const plenty = 1_000_000

/** Drops the events that `unwanted` picks, wherever they are. */
function drop(disk: Disk, unwanted: (sessionId: string, runId: string | undefined) => boolean): number {
  let events = 0
  for (const [sessionId, log] of disk.logs) {
    const kept = log.filter(({ runId }) => !unwanted(sessionId, runId))
    events += log.length - kept.length
    const session = knownSession(disk, sessionId)
    session.firstSeq = kept[0]?.seq ?? session.lastSeq + 1
    disk.logs.set(sessionId, kept)
  }
  return events
}

function firstPage({ tenant, limit, status, label }: SessionQuery): SessionQuery {
  return { tenant, limit, ...(status && { status }), ...(label && { label }) }
}

export const brokenSessions = [
  broken('stays released', 'may hold something until its release, and again from a later ref', (store, disk) => ({
    async setRef(sessionId, ref) {
      const { releasedAt } = knownSession(disk, sessionId)
      await store.setRef(sessionId, ref)
      knownSession(disk, sessionId).releasedAt = releasedAt
    },
  })),
  broken('wants a ref told again', 'that is made with a ref holds something from the beginning', (store) => ({
    createSession: ({ ref: _ref, ...session }, ...rest) => store.createSession(session, ...rest),
  })),
  broken('finds a key whatever its time', 'tells what it has led to without making anything', (store) => ({
    findCreated: (key) => store.findCreated(key, 0),
  })),
  broken('closes again', 'is closed and released once: the first time stays', (store, disk) => ({
    closeSession(sessionId, at) {
      knownSession(disk, sessionId).closedAt = undefined
      return store.closeSession(sessionId, at)
    },
  })),
  broken('forgets nothing', 'keeps credentials that its workspace begins with until it is closed', (store, disk) => ({
    async closeSession(sessionId, at) {
      const fill = disk.fills.get(sessionId)
      await store.closeSession(sessionId, at)
      if (fill) disk.fills.set(sessionId, fill)
    },
  })),
  broken('does not mind whom it changes', 'must be there to be changed', (store) => ({
    closeSession: (sessionId, at) => store.closeSession(sessionId, at).catch(() => undefined),
  })),
  broken('throws for what is not there', 'is undefined when it is not there, and so is a run', (store) => ({
    async getSession(sessionId) {
      const session = await store.getSession(sessionId)
      if (!session) throw new Error('not found')
      return session
    },
  })),
  broken('lists the first runs', 'lists its latest runs, the oldest of them first', (store) => ({
    listRuns: async (sessionId, limit) => (await store.listRuns(sessionId, plenty)).slice(0, limit),
  })),

  broken(
    'ends a page by its time alone',
    'begins with the newest and has each once, however it is cut into pages',
    (store) => ({
      listSessions: ({ before, ...query }) =>
        store.listSessions({ ...query, ...(before && { before: { ...before, sessionId: '' } }) }),
    }),
  ),
  broken(
    'never comes to the last page',
    'begins with the newest and has each once, however it is cut into pages',
    (store) => ({
      listSessions: (query) => store.listSessions(firstPage(query)),
    }),
  ),
  broken('lists half a row', 'has the rows that a single read has', (store) => ({
    listSessions: async (query) => (await store.listSessions(query)).map((row) => ({ ...row, labels: {} })),
  })),
  broken('lets a label cross tenants', 'shows a tenant its own, with every filter', (store, disk) => ({
    async listSessions(query) {
      if (!query.label) return store.listSessions(query)
      const tenants = new Set([...disk.sessions.values()].map(({ tenant }) => tenant))
      const rows: SessionRow[] = []
      for (const tenant of tenants) rows.push(...(await store.listSessions({ ...query, tenant })))
      return rows
    },
  })),
  broken('applies one filter at most', 'is filtered by status, executor and label, alone and together', (store) => ({
    listSessions: ({ label, ...query }) => store.listSessions({ ...query, ...(!query.status && label && { label }) }),
  })),
  broken('has the status of the creation in its index', 'follows a status that changes', (store) => ({
    listSessions: async ({ status, ...query }) =>
      (await store.listSessions({ ...query, ...(status === 'idle' && { status }) })).filter(({ currentRunId }) =>
        status === undefined || status === 'idle' ? true : status === 'pending' && currentRunId !== undefined,
      ),
  })),
  broken(
    'skips sessions of the same time',
    'that hold something begins with the oldest and goes on after one of them',
    (store) => ({
      listHeld: (limit, after) => store.listHeld(limit, after && { ...after, sessionId: '\uffff' }),
    }),
  ),

  broken('drops what ended just now', 'drops the events of runs that ended before a time', (store) => ({
    expire: (before, now, limit) => store.expire(before + 1, now, limit),
  })),
  broken('drops what is old', 'drops nothing of a run that is open, whatever its age', (_store, disk) => ({
    expire: async () => ({ events: drop(disk, () => true), keys: 0 }),
  })),
  broken(
    'drops events in the middle',
    'drops the oldest part of a log only, so that what is kept has no gap',
    (_store, disk) => ({
      async expire(before) {
        const ended = (runId = ''): boolean => (disk.runs.get(runId)?.endedAt ?? before) < before
        return { events: drop(disk, (_, runId) => ended(runId)), keys: 0 }
      },
    }),
  ),
  broken('drops the whole log', 'drops up to the first run that is still wanted', (store, disk) => ({
    async expire(before, now, limit) {
      const { keys } = await store.expire(before, now, limit)
      const old = (sessionId: string): boolean =>
        [...disk.runs.values()].some((run) => run.sessionId === sessionId && (run.endedAt ?? before) < before)
      return { events: drop(disk, old), keys }
    },
  })),
  broken(
    'starts an expired cursor at what is left',
    'tells a cursor into the dropped part that it has expired',
    (store) => ({
      async readEvents(query) {
        const result = await store.readEvents(query)
        return result.status === 'expired' ? store.readEvents({ ...query, after: result.firstSeq - 1 }) : result
      },
    }),
  ),
  broken('takes a new client for an old one', 'tells a cursor into the dropped part that it has expired', (store) => ({
    async readEvents(query) {
      const result = await store.readEvents(query)
      if (result.status !== 'expired' || query.after > 0) return result
      return store.readEvents({ ...query, after: result.firstSeq - 1 })
    },
  })),
  broken(
    'begins an empty log at 1 again',
    'leaves the numbers as they are when a log has been dropped whole',
    (store, disk) => ({
      async expire(...args) {
        const result = await store.expire(...args)
        for (const [sessionId, log] of disk.logs) {
          if (log.length === 0) Object.assign(knownSession(disk, sessionId), { firstSeq: 1, lastSeq: 0 })
        }
        return result
      },
    }),
  ),
  broken('drops everything at once', 'takes no more than its limit at once and comes to the end', (store) => ({
    expire: (before, now) => store.expire(before, now, plenty),
  })),
  broken('keeps its keys', 'forgets idempotency keys past their time, as many as its limit', (store) => ({
    expire: (before, _now, limit) => store.expire(before, 0, limit),
  })),

  broken('forgets the fill', 'keeps what its workspace begins with, apart from its row', () => ({
    getFill: async () => undefined,
  })),
  broken('has the fill in the row', 'keeps what its workspace begins with, apart from its row', (store, disk) => ({
    async createSession(...args) {
      const result = await store.createSession(...args)
      Object.assign(knownSession(disk, args[0].sessionId), { fill: args[0].fill })
      return result
    },
  })),
  broken('loses a column at a restart', 'keeps everything over a restart', (_store, disk) => ({
    whenReopened: () => disk.sessions.forEach((session) => Object.assign(session, { ref: undefined })),
  })),
  broken('counts from what it remembers', 'keeps everything over a restart', (_store, disk) => ({
    whenReopened: () => disk.runs.forEach((run) => Object.assign(run, { epoch: 0 })),
  })),
  broken('acknowledges before it is durable', 'keeps everything acknowledged over a crash', (store, disk) => {
    let durable = structuredClone(disk)
    return {
      append(...args) {
        durable = structuredClone(disk)
        return store.append(...args)
      },
      leftByCrash: () => durable,
    }
  }),
  broken('shows before it is durable', 'shows nothing that a crash could take back', (store, disk) => {
    let durable = disk
    return {
      async append(...args) {
        durable = structuredClone(disk)
        const result = await store.append(...args)
        for (let turn = 0; turn < 5; turn += 1) await others()
        durable = disk
        return result
      },
      leftByCrash: () => durable,
    }
  }),
]
