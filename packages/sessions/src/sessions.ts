import { randomUUID } from 'node:crypto'
import {
  GatewayError,
  type CancelReceipt,
  type RunRow,
  type SessionRow,
  type Workspace,
} from '@opencode-gateway/contracts'
import { admittedRun, admittedSession, inherited, newRun, runAgain, titleOf } from './admission.ts'
import { answerAsk } from './answer-ask.ts'
import { addReceipts, cancelRun } from './cancel.ts'
import { createDispatcher } from './dispatcher.ts'
import { createDoorbell } from './doorbell.ts'
import { followLog, readPage, sessionNotFound } from './follow.ts'
import { forkSession } from './fork.ts'
import { createHolds } from './holds.ts'
import { createLiveSessions } from './live-sessions.ts'
import { recover } from './recovery.ts'
import { orAborted } from './or-aborted.ts'
import { resetWorkspace } from './reset.ts'
import { sessionClosed } from './session-closed.ts'
import { isOver } from './session-over.ts'
import { startRetention, type Retention } from './retention.ts'
import { driveRun } from './run-driver.ts'
import { withKey } from './run-keys.ts'
import type { CancelResult, RunOrder, Sessions, SessionsOptions } from './types.ts'

/** Runs shown with a session, unless more are open; older ones are in the log. */
const runsShown = 50

export function createSessions(options: SessionsOptions): Sessions {
  const { store, executors, log, owner, limits } = options
  const doorbell = createDoorbell()
  const endBell = createDoorbell()
  const live = createLiveSessions({ executors, store, crashPoint: options.crashPoint })
  const observe = options.observe ?? (() => {})
  const crashPoint = options.crashPoint ?? (() => {})
  const onAppended = (sessionId: string) => doorbell.ring(sessionId)
  const { models } = options
  const driverOptions = { store, live, log, limits, models, observe, crashPoint, onAppended }
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
  const room = { maxQueued: limits.maxQueuedRuns, slots: limits.maxConcurrentRuns }
  const closing = new AbortController()
  const recovered = Promise.withResolvers<void>()
  let retention: Retention | undefined
  let accepting = true

  async function onEnded(run: RunRow): Promise<void> {
    endBell.ring(run.runId)
    doorbell.ring(run.sessionId)
    const session = await store.getSession(run.sessionId)
    if (session?.oneShot && (await isOver(session, store))) await releaseAndClose(session)
    crashPoint('after-release')
  }

  async function releaseAndClose(session: SessionRow): Promise<void> {
    using _hold = await holds.take(session.sessionId, closing.signal)
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(limits.startTimeoutMs)])
    await live.release(session, 'nothing', { signal, log: log.child({ sessionId: session.sessionId }) })
    if (session.closedAt === undefined) await store.closeSession(session.sessionId, Date.now())
    models?.keys.drop(session)
  }

  async function workspaceOf(session: SessionRow, { make }: { make: boolean }): Promise<Workspace> {
    const { sessionId, executor, closedAt } = session
    const workspaces = live.workspacesOf(session)
    if (!workspaces) {
      throw new GatewayError('UNSUPPORTED_OPTION', `The files of executor "${executor}" cannot be reached.`)
    }
    if (closedAt !== undefined && make) throw sessionClosed(sessionId)
    const found = await workspaces.find(sessionId)
    if (found) return found
    // A repository is cloned into an empty directory, by the first run.
    if (make && !(await store.getFill(sessionId))?.repository) {
      // From now on it holds something: what nobody is known to hold is swept at the next start.
      if (session.ref === undefined) await store.setRef(sessionId, { executor, session_id: sessionId })
      return await workspaces.make(sessionId)
    }
    throw new GatewayError(
      'WORKSPACE_NOT_FOUND',
      `Session "${sessionId}" has no workspace: it has not begun to work, or its files have been removed.`,
    )
  }

  async function owned(tenant: string, sessionId: string): Promise<SessionRow> {
    const session = await store.getSession(sessionId)
    if (!session || session.tenant !== tenant) throw sessionNotFound(sessionId)
    return session
  }

  /** The one that works is among them, however many wait behind it, one that was added just now included. */
  function latestRuns({ sessionId, openRuns }: SessionRow, shown = runsShown): Promise<readonly RunRow[]> {
    return store.listRuns(sessionId, Math.max(shown, openRuns + 1))
  }

  /** What a prompt goes on with: commands of a shell have no model; behind very many of them it is no longer found. */
  async function latestPrompt(session: SessionRow): Promise<RunRow | undefined> {
    const latest = (await store.listRuns(session.sessionId, 1)).at(-1)
    if (!latest || latest.input.kind === 'prompt') return latest
    return (await latestRuns(session)).findLast(({ input }) => input.kind === 'prompt')
  }

  function refuseWhenClosing(): void {
    if (!accepting) throw new GatewayError('SHUTTING_DOWN', 'The gateway is shutting down. Try again in a moment.')
  }

  async function refuseDeliveryOfNothing({ sessionId }: SessionRow, order: RunOrder): Promise<void> {
    if (order.kind !== 'prompt' || order.delivery === undefined) return
    if ((await store.getFill(sessionId))?.repository) return
    const text = `Session "${sessionId}" has no repository: there is nothing to commit to.`
    throw new GatewayError('INVALID_REQUEST', text, { details: { field: 'repository', reason: 'is missing' } })
  }

  async function cancelAll(session: SessionRow, runId?: string): Promise<CancelResult> {
    const open = await store.requestCancel(session.sessionId, Date.now(), runId)
    const receipts: CancelReceipt[] = []
    const cancelledRuns: string[] = []
    // The newest first: a queued run must not take the slot that the current one gives up.
    for (const run of open.toReversed()) {
      const receipt = await cancelRun(run, { store, dispatcher })
      if (receipt) receipts.push(receipt)
      const ended = await store.getRun(run.runId)
      if (ended?.state === 'cancelled') cancelledRuns.push(run.runId)
      endBell.ring(run.runId)
    }
    doorbell.ring(session.sessionId)
    return {
      session: (await store.getSession(session.sessionId)) ?? session,
      cancelledRuns: cancelledRuns.toReversed(),
      receipt: addReceipts(receipts),
    }
  }

  async function cancelBefore(session: SessionRow, run: RunRow): Promise<void> {
    const runs = await latestRuns(session)
    // What came after it meanwhile is not its to cancel: of two that interrupt at once the newer one runs.
    const earlier = runs.slice(
      0,
      Math.max(
        0,
        runs.findIndex(({ runId }) => runId === run.runId),
      ),
    )
    for (const { runId, complete } of earlier) if (!complete) await cancelAll(session, runId)
  }

  return {
    async start(signal) {
      const ctx = { signal: AbortSignal.any([signal, closing.signal]), log }
      await recover({ store, live, dispatcher, executors, owner, observe, crashPoint, release: releaseAndClose }, ctx)
      recovered.resolve()
      const { eventRetentionMs: keepEventsMs, sessionRetentionMs: keepSessionsMs, sweepIntervalMs: intervalMs } = limits
      retention = startRetention({ store, log, keepEventsMs, keepSessionsMs, intervalMs, release: releaseAndClose })
      dispatcher.resume()
    },

    async create(order) {
      refuseWhenClosing()
      const executor = order.executor ?? executors.keys().next().value
      if (executor === undefined || !executors.has(executor)) {
        const known = [...executors.keys()].map((name) => `"${name}"`).join(', ')
        throw new GatewayError('INVALID_REQUEST', `There is no executor "${executor}"; there is ${known}.`, {
          details: { field: 'executor', reason: `must be one of ${known}` },
        })
      }
      if (order.fill) executors.get(executor)?.workspaces?.check(order.fill)
      const createdAt = Date.now()
      const sessionId = order.sessionId ?? randomUUID()
      const { run: wanted } = order
      const about = { tenant: order.tenant, sessionId, requestId: order.requestId, createdAt }
      const run = wanted && newRun(wanted, about, limits)
      const session = {
        sessionId,
        tenant: order.tenant,
        executor,
        title: titleOf(wanted),
        labels: order.labels ?? {},
        createdAt,
        oneShot: order.oneShot ?? false,
        keepWorkspace: order.keepWorkspace ?? false,
        retentionMs: order.retentionMs ?? limits.workspaceRetentionMs,
        ...(order.fill === undefined ? {} : { fill: order.fill }),
      }
      const admission = { ...room, ...(order.idempotency ? { idempotency: order.idempotency } : {}) }
      const admitted = await withKey(models?.keys, run, wanted?.modelKey, async () =>
        admittedSession(await store.createSession(session, run, admission), sessionId),
      )
      crashPoint('after-create')
      dispatcher.kick()
      return admitted
    },

    async addRun(tenant, sessionId, { onBusy, requestId, idempotency, ...order }) {
      refuseWhenClosing()
      const session = await owned(tenant, sessionId)
      await refuseDeliveryOfNothing(session, order)
      const latest = await latestPrompt(session)
      const wanted = newRun(inherited(order, latest), { tenant, sessionId, requestId, createdAt: Date.now() }, limits)
      const admission = { ...room, rejectWhenBusy: onBusy === 'reject', ...(idempotency ? { idempotency } : {}) }
      if (order.modelKey === undefined && latest) models?.keys.share(wanted, latest.runId)
      const { run, replayed } = await withKey(models?.keys, wanted, order.modelKey, async () =>
        admittedRun(await store.addRun(wanted, admission), sessionId),
      )
      if (replayed) return { session, run, replayed }
      doorbell.ring(sessionId)
      if (onBusy === 'interrupt') await cancelBefore(session, run)
      dispatcher.kick()
      return { session, run, replayed }
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

    async retry(tenant, sessionId, requestId) {
      refuseWhenClosing()
      const session = await owned(tenant, sessionId)
      const latest = (await store.listRuns(sessionId, 1)).at(-1)
      const again = { tenant, sessionId, requestId, createdAt: Date.now() }
      const wanted = runAgain(latest, again)
      if (latest) models?.keys.share(wanted, latest.runId)
      const added = await store.addRun(wanted, { ...room, rejectWhenBusy: true })
      doorbell.ring(sessionId)
      dispatcher.kick()
      return { session, ...admittedRun(added, sessionId) }
    },

    async asks(tenant, sessionId) {
      const runs = await latestRuns(await owned(tenant, sessionId))
      return runs.flatMap(({ runId, asks, complete }) => (complete ? [] : asks.map((ask) => ({ ...ask, runId }))))
    },

    async answer(tenant, sessionId, askId, answer) {
      const session = await owned(tenant, sessionId)
      await answerAsk({ store, dispatcher, session, runs: await latestRuns(session) }, askId, answer)
    },

    async cancel(tenant, sessionId, runId) {
      const session = await owned(tenant, sessionId)
      if (runId !== undefined && (await store.getRun(runId))?.sessionId !== sessionId) {
        throw new GatewayError('RUN_NOT_FOUND', `Session "${sessionId}" has no run "${runId}".`)
      }
      return cancelAll(session, runId)
    },

    async remove(tenant, sessionId) {
      const session = await owned(tenant, sessionId)
      await store.closeSession(sessionId, session.closedAt ?? Date.now())
      const result = await cancelAll(session)
      await releaseAndClose(result.session)
      return { ...result, session: (await store.getSession(sessionId)) ?? result.session }
    },

    workspace: async (tenant, sessionId, how) => workspaceOf(await owned(tenant, sessionId), how),

    async reset(tenant, sessionId, after, signal) {
      await owned(tenant, sessionId)
      const reached = (session: SessionRow) => workspaceOf(session, { make: false })
      const stopped = AbortSignal.any([signal, closing.signal])
      await resetWorkspace({ store, holds, workspaceOf: reached }, { sessionId, after }, stopped)
    },

    async fork(tenant, sessionId, order, signal) {
      refuseWhenClosing()
      const source = await owned(tenant, sessionId)
      const stopped = AbortSignal.any([signal, closing.signal])
      // Until then the sweep takes what has no row for a leftover.
      await orAborted(recovered.promise, stopped)
      const ctx = { signal: stopped, log: log.child({ sessionId }) }
      const retentionMs = order.retentionMs ?? limits.workspaceRetentionMs
      return await forkSession({ store, holds, live, crashPoint }, source, { ...order, retentionMs }, ctx)
    },

    async get(tenant, sessionId, shown) {
      const session = await owned(tenant, sessionId)
      const runs = await latestRuns(session, shown)
      const latest = runs.at(-1)
      const queuePosition = latest?.state === 'queued' ? await store.queuePosition(latest.runId) : undefined
      return { session, runs, queuePosition }
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
