import { GatewayError, type RunRow, type SessionRow } from '@opencode-gateway/contracts'
import { answerAsk } from './answer-ask.ts'
import { createCancelling } from './cancelling.ts'
import { createDispatcher } from './queue/dispatcher.ts'
import { createDoorbell } from './waiting/doorbell.ts'
import { followLog, readPage, sessionNotFound } from './follow.ts'
import { forkSession } from './fork.ts'
import { createHolds } from './queue/holds.ts'
import { inUse } from './in-use.ts'
import { latestRuns } from './latest-runs.ts'
import { createLiveSessions } from './live-sessions.ts'
import { recover } from './upkeep/recovery.ts'
import { createOrders } from './queue/orders.ts'
import { pendingReasons } from './queue/pending-reason.ts'
import { reachWorkspace } from './reach-workspace.ts'
import { resetWorkspace } from './reset.ts'
import { isOver } from './session-over.ts'
import { startRetention, type Retention } from './upkeep/retention.ts'
import { driveRun } from './run/run-driver.ts'
import { createKeyedRuns } from './queue/run-keys.ts'
import type { SessionsOptions } from './options.ts'
import type { Sessions } from './types.ts'
import { untilRecovered } from './upkeep/until-recovered.ts'

export function createSessions(options: SessionsOptions): Sessions {
  const { store, executors, log, owner, limits } = options
  const doorbell = createDoorbell()
  const endBell = createDoorbell()
  const live = createLiveSessions({ executors, store, crashPoint: options.crashPoint })
  const observe = options.observe ?? (() => {})
  const crashPoint = options.crashPoint ?? (() => {})
  const onAppended = (sessionId: string) => doorbell.ring(sessionId)
  const { models } = options
  const keyed = createKeyedRuns({ store, keys: models?.keys, seal: options.keySeal })
  const driverOptions = { store, live, log, limits, models, keyed, observe, crashPoint, onAppended }
  const dispatcher = createDispatcher({
    store,
    log,
    owner,
    observe: options.observe,
    crashPoint: options.crashPoint,
    maxConcurrentRuns: limits.maxConcurrentRuns,
    isHeld: (sessionId) => holds.has(sessionId),
    drive: (run, session, progress) => driveRun(run, session, driverOptions, progress),
    onEnded,
  })
  const holds = createHolds(() => dispatcher.kick())
  const cancelling = createCancelling({ store, dispatcher, doorbell, endBell, onEnded: (run) => keyed.end(run) })
  const closing = new AbortController()
  const recovered = Promise.withResolvers<void>()
  let retention: Retention | undefined
  let accepting = true

  function tellEnded(run: RunRow): void {
    keyed.end(run)
    endBell.ring(run.runId)
    doorbell.ring(run.sessionId)
  }

  async function onEnded(run: RunRow): Promise<void> {
    tellEnded(run)
    const session = await store.getSession(run.sessionId)
    if (session?.oneShot && (await isOver(session, store))) await releaseAndClose(session)
    crashPoint('after-release')
  }

  async function releaseAndClose(session: SessionRow): Promise<void> {
    using _hold = await holds.take(session.sessionId, closing.signal)
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(limits.startTimeoutMs)])
    await live.release(session, 'nothing', { signal, log: log.child({ sessionId: session.sessionId }) })
    if (session.closedAt === undefined) await store.closeSession(session.sessionId, Date.now())
    keyed.drop(session)
  }

  async function owned(tenant: string, sessionId: string): Promise<SessionRow> {
    const session = await store.getSession(sessionId)
    if (!session || session.tenant !== tenant) throw sessionNotFound(sessionId)
    return session
  }

  const isRecovered = (signal: AbortSignal): Promise<void> =>
    untilRecovered(recovered.promise, { timeoutMs: limits.startTimeoutMs, signal })
  const reach = (session: SessionRow, how = { make: false }) =>
    reachWorkspace({ store, live, mayMake: () => isRecovered(closing.signal) }, session, how)

  function refuseWhenClosing(): void {
    if (!accepting) throw new GatewayError('SHUTTING_DOWN', 'The gateway is shutting down. Try again in a moment.')
  }

  return {
    ...createOrders({
      store,
      executors,
      keyed,
      renewModel: options.renewModel,
      limits,
      refuseWhenClosing,
      owned,
      cancelBefore: cancelling.before,
      onAppended,
      kick: () => dispatcher.kick(),
      crashPoint,
    }),

    async start(signal) {
      const ctx = { signal: AbortSignal.any([signal, closing.signal]), log }
      const release = releaseAndClose
      const { startTimeoutMs: patienceMs, cancelGraceMs: graceMs } = limits
      const found = { store, live, dispatcher, executors, models, owner, release, tellEnded }
      await recover({ ...found, patienceMs, graceMs, observe, crashPoint }, ctx)
      recovered.resolve()
      retention = startRetention({
        store,
        log,
        keepEventsMs: limits.eventRetentionMs,
        keepSessionsMs: limits.sessionRetentionMs,
        keepUsageMs: limits.usageRetentionMs,
        adoptMs: limits.workspaceRetentionMs,
        intervalMs: limits.sweepIntervalMs,
        release,
      })
      dispatcher.resume()
    },

    async waitForRun(runId, signal) {
      using bell = endBell.listen(runId)
      for (;;) {
        const run = await store.getRun(runId)
        if (!run) throw new GatewayError('INTERNAL', `run "${runId}" is not in the store`)
        if (run.complete) return run
        if (run.state === 'queued') refuseWhenClosing()
        await bell.heard(signal)
        signal.throwIfAborted()
      }
    },

    async asks(tenant, sessionId) {
      const runs = await latestRuns(store, await owned(tenant, sessionId))
      return runs.flatMap(({ runId, asks, complete }) => (complete ? [] : asks.map((ask) => ({ ...ask, runId }))))
    },

    async answer(tenant, sessionId, askId, answer, by) {
      const session = await owned(tenant, sessionId)
      const runs = await latestRuns(store, session)
      await answerAsk({ store, dispatcher, session, runs, by }, askId, answer)
    },

    async cancel(tenant, sessionId, runId) {
      const session = await owned(tenant, sessionId)
      if (runId !== undefined && (await store.getRun(runId))?.sessionId !== sessionId) {
        throw new GatewayError('RUN_NOT_FOUND', `Session "${sessionId}" has no run "${runId}".`)
      }
      return cancelling.all(session, runId)
    },

    async remove(tenant, sessionId) {
      const session = await owned(tenant, sessionId)
      await store.closeSession(sessionId, session.closedAt ?? Date.now())
      const result = await cancelling.all(session)
      await releaseAndClose(result.session)
      return { ...result, session: (await store.getSession(sessionId)) ?? result.session }
    },

    workspace: async (tenant, sessionId, how) => reach(await owned(tenant, sessionId), how),

    async changeWorkspace(tenant, sessionId, how, work) {
      const session = await owned(tenant, sessionId)
      return await inUse(store, sessionId, async () => work(await reach(session, how)))
    },

    async reset(tenant, sessionId, after, signal) {
      await owned(tenant, sessionId)
      const stopped = AbortSignal.any([signal, closing.signal])
      await resetWorkspace({ store, holds, workspaceOf: (session) => reach(session) }, { sessionId, after }, stopped)
    },

    async fork(tenant, sessionId, order, signal) {
      refuseWhenClosing()
      const source = await owned(tenant, sessionId)
      const stopped = AbortSignal.any([signal, closing.signal])
      await isRecovered(stopped)
      const ctx = { signal: stopped, log: log.child({ sessionId }) }
      const retentionMs = order.retentionMs ?? limits.workspaceRetentionMs
      return await forkSession({ store, holds, live, limits, crashPoint }, source, { ...order, retentionMs }, ctx)
    },

    async get(tenant, sessionId, shown) {
      const session = await owned(tenant, sessionId)
      const runs = await latestRuns(store, session, shown)
      const current = runs.find(({ complete }) => complete === undefined) ?? runs.at(-1)
      const queuePosition = current?.state === 'queued' ? await store.queuePosition(current.runId) : undefined
      const reasons = pendingReasons(runs, { isHeld: holds.has(sessionId) })
      return { session, runs, current, queuePosition, reasons }
    },

    list: (query) => store.listSessions(query),

    async read(tenant, sessionId, read) {
      await owned(tenant, sessionId)
      return readPage(store, sessionId, read)
    },

    async *follow(tenant, sessionId, read) {
      await owned(tenant, sessionId)
      const signal = AbortSignal.any([read.signal, closing.signal])
      yield* followLog({ store, doorbell }, sessionId, { ...read, signal })
    },

    load: async () => ({ working: dispatcher.active(), queued: await store.countQueued() }),

    accepting: () => accepting,

    async drain(signal) {
      accepting = false
      dispatcher.pause()
      // Who waits for a run that will not start here is not kept waiting.
      endBell.ringAll()
      await dispatcher.idle(signal)
    },

    async close() {
      accepting = false
      dispatcher.pause()
      await dispatcher.detachAll()
      closing.abort(new Error('the gateway stops'))
      await retention?.close()
    },
  }
}
