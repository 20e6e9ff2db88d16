import { randomUUID } from 'node:crypto'
import { GatewayError, type Executor, type RunRow, type SessionRow, type Store } from '@opencode-gateway/contracts'
import { admittedRun, admittedSession, newRun, runAgain, titleOf, withSessionKey } from './admission.ts'
import { heritageOf, inherited, renewed, type RenewModel } from './heritage.ts'
import { latestPrompt } from '../latest-runs.ts'
import type { CrashPoint } from '../observation.ts'
import type { KeyedRuns } from './run-keys.ts'
import type { SessionsLimits } from '../options.ts'
import type { RunOrder, Sessions } from '../types.ts'

export interface OrdersOptions {
  store: Store
  /** By name; the first is the default. */
  executors: ReadonlyMap<string, Executor>
  keyed: KeyedRuns
  renewModel: RenewModel | undefined
  limits: SessionsLimits
  /** Throws when nothing is taken any more. */
  refuseWhenClosing(): void
  /** The session, if it is the tenant's; throws SESSION_NOT_FOUND. */
  owned(tenant: string, sessionId: string): Promise<SessionRow>
  cancelBefore(session: SessionRow, run: RunRow): Promise<void>
  /** After the log of a session has grown. */
  onAppended(sessionId: string): void
  /** There is something to work on. */
  kick(): void
  crashPoint(name: CrashPoint): void
}

/** Takes in what is to be done: when a call settles, the order is durable. */
export function createOrders(options: OrdersOptions): Pick<Sessions, 'create' | 'addRun' | 'retry'> {
  const { store, executors, keyed, limits, refuseWhenClosing, owned } = options
  const { maxQueuedRunsOfSession: maxQueuedOfSession, maxQueuedRunsOfTenant: maxQueuedOfTenant } = limits
  const room = {
    maxQueued: limits.maxQueuedRuns,
    ...(maxQueuedOfTenant === undefined ? {} : { maxQueuedOfTenant }),
    slots: limits.maxConcurrentRuns,
  }

  /** Throws when what is ordered could not be delivered, however well the agent works. A closed session is told later. */
  async function assertDeliverable({ sessionId, executor, closedAt }: SessionRow, order: RunOrder): Promise<void> {
    if (order.kind !== 'prompt' || order.delivery === undefined || closedAt !== undefined) return
    const fill = await store.getFill(sessionId)
    if (fill?.repository) return executors.get(executor)?.workspaces?.check(fill, order.delivery)
    const text = `Session "${sessionId}" has no repository: there is nothing to commit to.`
    throw new GatewayError('INVALID_REQUEST', text, { details: { field: 'repository', reason: 'is missing' } })
  }

  return {
    async create(order) {
      refuseWhenClosing()
      const executor = order.executor ?? executors.keys().next().value
      if (executor === undefined || !executors.has(executor)) {
        const known = [...executors.keys()].map((name) => `"${name}"`).join(', ')
        throw new GatewayError('INVALID_REQUEST', `There is no executor "${executor}"; there is ${known}.`, {
          details: { field: 'executor', reason: `must be one of ${known}` },
        })
      }
      const delivery = order.run?.kind === 'prompt' ? order.run.delivery : undefined
      if (order.fill) executors.get(executor)?.workspaces?.check(order.fill, delivery)
      const createdAt = Date.now()
      const sessionId = order.sessionId ?? randomUUID()
      const wanted = order.run && (order.oneShot === true ? order.run : withSessionKey(order.run))
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
      const admitted = await keyed.admit(run, wanted?.modelKey, async (run) =>
        admittedSession(await store.createSession(session, run, admission), sessionId),
      )
      options.crashPoint('after-create')
      options.kick()
      return admitted
    },

    async addRun(tenant, sessionId, { onBusy, requestId, idempotency, ...order }) {
      refuseWhenClosing()
      const session = await owned(tenant, sessionId)
      await assertDeliverable(session, order)
      const latest = await latestPrompt(store, session)
      const heir = await inherited(order, latest, options)
      const wanted = newRun(heir, { tenant, sessionId, requestId, createdAt: Date.now() }, limits)
      const admission = {
        ...room,
        // What interrupts waits behind nothing.
        ...(onBusy === 'interrupt' ? {} : { maxQueuedOfSession }),
        rejectWhenBusy: onBusy === 'reject',
        ...(idempotency ? { idempotency } : {}),
      }
      const { run, replayed } = await keyed.admit(wanted, heir.modelKey, async (run) =>
        admittedRun(await store.addRun(run, admission), sessionId),
      )
      if (replayed) return { session, run, replayed }
      options.onAppended(sessionId)
      if (onBusy === 'interrupt') await options.cancelBefore(session, run)
      options.kick()
      return { session, run, replayed }
    },

    async retry(tenant, sessionId, requestId) {
      refuseWhenClosing()
      const session = await owned(tenant, sessionId)
      const latest = (await store.listRuns(sessionId, 1)).at(-1)
      const again = { tenant, sessionId, requestId, createdAt: Date.now() }
      const former = runAgain(latest, again)
      const heritage = await heritageOf(latest, options)
      const wanted = renewed(former, heritage)
      const added = await keyed.admit(wanted, heritage?.modelKey, async (run) =>
        admittedRun(await store.addRun(run, { ...room, rejectWhenBusy: true }), sessionId),
      )
      options.onAppended(sessionId)
      options.kick()
      return { session, ...added }
    },
  }
}
