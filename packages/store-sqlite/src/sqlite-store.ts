import {
  GatewayError,
  type Log,
  type NewRun,
  type ProviderStore,
  type RunPatch,
  type Store,
  type UsageLog,
  type WorkspaceFill,
} from '@opencode-gateway/contracts'
import { assertOneEnding, bounded } from './append-rules.ts'
import { providerCalls } from './provider-calls.ts'
import { toEvent, toQueued, toRun, toSession, toTotals } from './rows.ts'
import type { PatchText, RunText } from './sql/runs.ts'
import { startStoreThread, type StoreThread } from './store-thread.ts'

export interface SqliteStoreOptions {
  /** The database; its directory is made when it is not there. Beside it lie `-wal`, `-shm` and `-lock`. */
  file: string
  /** Names this process, besides its pid, to a second one that finds the database in use. */
  owner?: string
  /** Writes fail above this size of the database. Bytes; none when absent. */
  maxFileBytes?: number
  log?: Log
}

/**
 * A store in one SQLite file, for one gateway process. All SQL runs in a worker thread; here JSON is written and read,
 * once each, and travels as text.
 */
export function createSqliteStore({
  file,
  owner = '',
  maxFileBytes,
  log,
}: SqliteStoreOptions): Store & UsageLog & ProviderStore {
  let opening: Promise<StoreThread> | undefined
  let thread: StoreThread | undefined

  async function start(): Promise<StoreThread> {
    const onCrash = (err: Error): void => {
      thread = undefined
      opening = undefined
      log?.error({ err, file }, 'the store is gone')
    }
    thread = await startStoreThread({ file, owner, maxFileBytes }, onCrash)
    const { from, to } = thread.migrated
    if (from !== to) log?.info({ file, from, to }, 'database schema brought up to date')
    return thread
  }

  const call: StoreThread['call'] = (name, ...args) => {
    if (thread) return thread.call(name, ...args)
    return Promise.reject(new GatewayError('STORE_UNAVAILABLE', `the database "${file}" is not open`))
  }

  return {
    async open() {
      opening ??= start().catch((error: unknown) => {
        opening = undefined
        throw error
      })
      await opening
    },
    async close() {
      const closing = await opening?.catch(() => undefined)
      await closing?.close()
      opening = undefined
      thread = undefined
    },
    async check() {
      const written = await call('writeCheck')
      const read = await call('readCheck')
      if (written === undefined || read === undefined || read < written) {
        throw new GatewayError('STORE_UNAVAILABLE', `the database "${file}" does not give back what was written`)
      }
    },

    async createSession(session, run, admission) {
      const result = await call('createSession', session, run && toRunText(run), admission)
      if (!('session' in result)) return result
      return { status: result.status, session: toSession(result.session), run: result.run && toRun(result.run) }
    },
    async findCreated(key, at) {
      const result = await call('findCreated', key, at)
      if (result?.status !== 'replayed') return result
      return { status: 'replayed', session: toSession(result.session), run: result.run && toRun(result.run) }
    },
    async addRun(run, admission) {
      const result = await call('addRun', toRunText(run), admission)
      return 'run' in result ? { status: result.status, run: toRun(result.run) } : result
    },

    async claimRun(runId, claim) {
      const run = await call('claimRun', runId, claim)
      return run && toRun(run)
    },
    requeueRun: (fence, at) => call('requeueRun', fence, at),
    async adoptRun(runId, claim) {
      const run = await call('adoptRun', runId, claim)
      return run && toRun(run)
    },
    async append(fence, events, at, patch) {
      assertOneEnding(events, patch)
      const texts = events.map(({ type, data }) => [type, JSON.stringify(data)] as const)
      return call('append', fence, texts, at, patch && toPatchText(patch))
    },
    async requestCancel(sessionId, at, runId) {
      return (await call('requestCancel', sessionId, at, runId)).map(toRun)
    },

    setRef: (sessionId, ref) => call('setRef', sessionId, ref),
    touchSession: (sessionId, at) => call('touchSession', sessionId, at),
    closeSession: (sessionId, at) => call('closeSession', sessionId, at),
    setReleased: (sessionId, at) => call('setReleased', sessionId, at),

    async getSession(sessionId) {
      const session = await call('getSession', sessionId)
      return session && toSession(session)
    },
    async getFill(sessionId) {
      const fill = await call('getFill', sessionId)
      return fill === undefined ? undefined : (JSON.parse(fill) as WorkspaceFill)
    },
    async listSessions(query) {
      return (await call('listSessions', { ...query, limit: bounded(query.limit) })).map(toSession)
    },
    async getRun(runId) {
      const run = await call('getRun', runId)
      return run && toRun(run)
    },
    getRunKey: (runId) => call('getRunKey', runId),
    async listRuns(sessionId, limit) {
      return (await call('listRuns', sessionId, bounded(limit))).map(toRun)
    },
    async listOpenRuns(limit) {
      return (await call('listOpenRuns', bounded(limit))).map(toRun)
    },
    async listQueued(limit) {
      return (await call('listQueued', bounded(limit))).map(toQueued)
    },
    countQueued: () => call('countQueued'),
    queuePosition: (runId) => call('queuePosition', runId),
    async listHeld(limit, after) {
      return (await call('listHeld', bounded(limit), after)).map(toSession)
    },

    async readEvents(query) {
      const page = await call('readEvents', { ...query, limit: bounded(query.limit) })
      return page.status === 'ok' ? { ...page, events: page.events.map(toEvent) } : page
    },
    wasAsked: (sessionId, askId) => call('wasAsked', sessionId, askId),
    async expire(before, now, limit) {
      return call('expire', before, now, bounded(limit))
    },
    async closeExpired(now, limit) {
      return (await call('closeExpired', now, bounded(limit))).map(toSession)
    },
    async adoptRetention(retentionMs, at, limit) {
      return call('adoptRetention', retentionMs, at, bounded(limit))
    },
    async forget(before, limit) {
      return call('forget', before, bounded(limit))
    },

    addUsage: (usage) => call('addUsage', usage),
    async dropUsage(before, limit) {
      return call('dropUsage', before, bounded(limit))
    },
    sumUsage: async (of) => toTotals(await call('sumUsage', of)),
    listRaised: ({ owner, id }) => call('listRaised', { owner, id }),
    async reportUsage(query) {
      const rows = await call('reportUsage', { ...query, limit: bounded(query.limit) })
      return rows.map((row) => ({ group: row.group, model: row.model, ...toTotals(row) }))
    },

    ...providerCalls(call),
  }
}

function toRunText({ input, limits, ...run }: NewRun): RunText {
  return { ...run, input: JSON.stringify(input), limits: JSON.stringify(limits) }
}

function toPatchText({ complete, asks, ...patch }: RunPatch): PatchText {
  return {
    ...patch,
    ...(complete === undefined ? {} : { complete: JSON.stringify(complete) }),
    ...(asks === undefined ? {} : { asks: JSON.stringify(asks) }),
  }
}
