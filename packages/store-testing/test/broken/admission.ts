import type { Admission, NewSession, Store } from '@opencode-gateway/contracts'
import { knownSession, openRuns } from '../memory/disk.ts'
import { broken, others } from './broken-store.ts'

const never = Number.MAX_SAFE_INTEGER

export const brokenAdmission = [
  broken('forgets a flag', 'takes a session, its run and its first event in one', (store) => ({
    createSession: (session, ...rest) => store.createSession({ ...session, keepWorkspace: false }, ...rest),
  })),
  broken('makes every session wait for a run', 'takes a session without a run, which is idle', (store) => ({
    async createSession(...args) {
      const result = await store.createSession(...args)
      return result.status === 'created' ? { ...result, session: { ...result.session, status: 'pending' } } : result
    },
  })),
  broken('gives a taken id to another tenant', 'refuses an id that is taken, by whomever', (store, disk) => ({
    createSession(session, ...rest) {
      if (disk.sessions.get(session.sessionId)?.tenant !== session.tenant) disk.sessions.delete(session.sessionId)
      return store.createSession(session, ...rest)
    },
  })),
  broken('looks for the id before it writes', 'gives an id to one of many that want it at once', (store, disk) => ({
    async createSession(session, ...rest) {
      if (disk.sessions.has(session.sessionId)) return { status: 'exists' }
      await others()
      disk.sessions.delete(session.sessionId)
      return store.createSession(session, ...rest)
    },
  })),
  broken(
    'keeps the session of a run that it refused',
    'takes as many queued runs as it may, of all tenants, and leaves nothing of the others',
    (store) => ({
      async createSession(session, run, admission) {
        const result = await store.createSession(session, run, admission)
        if (result.status === 'queue_full') await store.createSession(session, undefined, admission)
        return result
      },
    }),
  ),
  broken(
    'counts the queue of each tenant apart',
    'takes as many queued runs as it may, of all tenants, and leaves nothing of the others',
    (store, disk) => ({
      createSession(session, run, admission) {
        const others = openRuns(disk).filter(({ tenant }) => tenant !== session.tenant).length
        return store.createSession(session, run, { ...admission, maxQueued: admission.maxQueued + others })
      },
    }),
  ),
  broken('counts runs at work as queued', 'counts what is queued, not what is at work or has ended', (store, disk) => ({
    createSession(session, run, admission) {
      const working = openRuns(disk).filter(({ state }) => state !== 'queued').length
      return store.createSession(session, run, { ...admission, maxQueued: admission.maxQueued - working })
    },
  })),
  broken('never counts slots', 'takes what finds a free slot beside what may wait', (store) => ({
    createSession: (session, run, admission) => store.createSession(session, run, { ...admission, slots: 0 }),
  })),
  broken('takes taken slots for free', 'takes what finds a free slot beside what may wait', (store) => ({
    createSession: (session, run, { slots = 0, maxQueued, ...admission }) =>
      store.createSession(session, run, { ...admission, maxQueued: maxQueued + slots }),
  })),
  broken(
    'counts the slots before it writes',
    'takes as many as find a free slot or may wait when many come at once',
    (store, disk) => ({
      async createSession(session, run, { slots = 0, maxQueued, ...admission }) {
        const open = openRuns(disk).length
        await others()
        return store.createSession(session, run, {
          ...admission,
          maxQueued: open < maxQueued + slots ? never : maxQueued,
        })
      },
    }),
  ),
  broken(
    'lets a session have the whole queue',
    'is refused when as many of its session wait as may, whatever room there is for others',
    (store) => ({
      addRun: (run, admission) => store.addRun(run, { ...admission, maxQueuedOfSession: never }),
    }),
  ),
  broken(
    'lets a tenant have the whole queue',
    'takes as many queued runs of a tenant as may wait, and those of others',
    (store) => ({
      createSession: (session, run, admission) =>
        store.createSession(session, run, { ...admission, maxQueuedOfTenant: never }),
    }),
  ),
  broken('keeps slots for new sessions', 'is taken when it finds a free slot', (store) => ({
    addRun: (run, admission) => store.addRun(run, { ...admission, slots: 0 }),
  })),
  broken(
    'asks for a place in the queue for nothing',
    'takes a session without a run though the queue is full',
    (store) => ({
      createSession: async (session, run, admission) =>
        admission.maxQueued === 0 ? { status: 'queue_full', queued: 0 } : store.createSession(session, run, admission),
    }),
  ),

  broken('shows what came last', 'waits behind the others and is not shown before them', (store, disk) => ({
    async addRun(run, admission) {
      const result = await store.addRun(run, admission)
      if (result.status === 'created') knownSession(disk, run.sessionId).currentRunId = run.runId
      return result
    },
  })),
  broken('does not check the tenant', 'needs a session of its tenant', (store, disk) => ({
    addRun: (run, admission) =>
      store.addRun({ ...run, tenant: disk.sessions.get(run.sessionId)?.tenant ?? '' }, admission),
  })),
  broken('takes runs for closed sessions', 'is refused by a session that is closed', (store, disk) => ({
    addRun(run, admission) {
      const session = disk.sessions.get(run.sessionId)
      if (session) session.closedAt = undefined
      return store.addRun(run, admission)
    },
  })),
  broken('names the wrong run as busy', 'that will not wait learns which run is at work', (store) => ({
    async addRun(run, admission) {
      const result = await store.addRun(run, admission)
      const [latest] = await store.listRuns(run.sessionId, 1)
      return result.status === 'busy' ? { status: 'busy', runId: latest?.runId ?? '' } : result
    },
  })),
  broken('asks first and adds later', 'that will not wait gets in once when many try at once', (store, disk) => ({
    async addRun(run, admission) {
      const [busy] = admission.rejectWhenBusy ? openRuns(disk, run.sessionId) : []
      if (busy) return { status: 'busy', runId: busy.runId }
      await others()
      return store.addRun(run, { ...admission, rejectWhenBusy: false })
    },
  })),
  broken('limits new sessions alone', 'is refused when the queue is full', (store) => ({
    addRun: (run, admission) => store.addRun(run, { ...admission, maxQueued: never }),
  })),
  broken('lists runs by their id', 'comes after the others even when many come at once', (store) => ({
    async listRuns(...args) {
      return (await store.listRuns(...args)).toSorted((a, b) => (a.runId < b.runId ? -1 : 1))
    },
  })),

  broken('looks for the key before it writes', 'makes one session of a hundred parallel requests', (store, disk) => ({
    async createSession(session, run, admission) {
      const known = disk.keys.size > 0
      await others()
      if (!known) disk.keys.clear()
      return store.createSession(session, run, admission)
    },
  })),
  broken('ignores the key of a further run', 'makes one run of a hundred parallel requests', (store) => ({
    addRun: (run, { maxQueued, rejectWhenBusy }) => store.addRun(run, { maxQueued, rejectWhenBusy }),
  })),
  broken('repeats its first answer', 'replays what has become of the run since', (store) => {
    const answers = new Map<string, Awaited<ReturnType<typeof store.createSession>>>()
    return {
      async createSession(session, run, admission) {
        const name = JSON.stringify(admission.idempotency)
        const result = await store.createSession(session, run, admission)
        const first = answers.get(name) ?? result
        answers.set(name, first)
        return result.status === 'replayed' && first.status === 'created' ? { ...first, status: 'replayed' } : result
      },
    }
  }),
  broken('replays the latest run', 'replays the run it led to, not the latest', (store) => ({
    async createSession(...args) {
      const result = await store.createSession(...args)
      if (result.status !== 'replayed') return result
      return { ...result, run: (await store.listRuns(result.session.sessionId, 1)).at(-1) }
    },
  })),
  broken('keeps no key without a run', 'replays a session without a run', (store) => ({
    createSession: (session, run, { maxQueued, idempotency }) =>
      store.createSession(session, run, { maxQueued, ...(run && idempotency && { idempotency }) }),
  })),
  broken('does not compare bodies', 'is bound to one body', (store) => withKey(store, { digest: 'same' })),
  broken('has one room for all keys', 'belongs to one tenant and one route', (store) =>
    withKey(store, { tenant: '', route: '' }),
  ),
  broken('looks at the queue first', 'is heard before every other reason to refuse', (store) => ({
    createSession: async (session, run, admission) =>
      run && admission.maxQueued === 0
        ? { status: 'queue_full', queued: 0 }
        : store.createSession(session, run, admission),
  })),
  broken('never frees a key', 'is free again after its time', (store) => withKey(store, { expiresAt: never })),
  broken('spends the key of a refused request', 'is not spent by a request that was refused', (store) => ({
    async createSession(session, run, admission) {
      const result = await store.createSession(session, run, admission)
      if (result.status === 'queue_full') {
        const spent: NewSession = { ...session, sessionId: 'spent' }
        await store.createSession(spent, undefined, { ...admission, maxQueued: never })
      }
      return result
    },
  })),
  broken('has its keys in memory', 'is remembered after a restart', (_store, disk) => ({
    whenReopened: () => disk.keys.clear(),
  })),
]

type Creator = Pick<Store, 'createSession' | 'addRun'>

/** Creates with another key than the caller's. */
function withKey(store: Creator, change: Partial<NonNullable<Admission['idempotency']>>): Creator {
  const other = <A extends Admission>(admission: A): A => ({
    ...admission,
    ...(admission.idempotency && { idempotency: { ...admission.idempotency, ...change } }),
  })
  return {
    createSession: (session, run, admission) => store.createSession(session, run, other(admission)),
    addRun: (run, admission) => store.addRun(run, other(admission)),
  }
}
