import { randomUUID } from 'node:crypto'
import {
  GatewayError,
  type Executor,
  type RunModels,
  type RunRow,
  type SessionRow,
  type Store,
} from '@opencode-gateway/contracts'
import { admittedRun, admittedSession, inherited, newRun, runAgain, titleOf } from './admission.ts'
import { latestPrompt } from './latest-runs.ts'
import type { CrashPoint } from './observation.ts'
import { withKey } from './run-keys.ts'
import type { RunOrder, Sessions, SessionsLimits } from './types.ts'

export interface OrdersOptions {
  store: Store
  /** By name; the first is the default. */
  executors: ReadonlyMap<string, Executor>
  models: RunModels | undefined
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
  const { store, executors, models, limits, refuseWhenClosing, owned } = options
  const room = { maxQueued: limits.maxQueuedRuns, slots: limits.maxConcurrentRuns }

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
      options.crashPoint('after-create')
      options.kick()
      return admitted
    },

    async addRun(tenant, sessionId, { onBusy, requestId, idempotency, ...order }) {
      refuseWhenClosing()
      const session = await owned(tenant, sessionId)
      await refuseDeliveryOfNothing(store, session, order)
      const latest = await latestPrompt(store, session)
      const wanted = newRun(inherited(order, latest), { tenant, sessionId, requestId, createdAt: Date.now() }, limits)
      const admission = { ...room, rejectWhenBusy: onBusy === 'reject', ...(idempotency ? { idempotency } : {}) }
      if (order.modelKey === undefined && latest) models?.keys.share(wanted, latest.runId)
      const { run, replayed } = await withKey(models?.keys, wanted, order.modelKey, async () =>
        admittedRun(await store.addRun(wanted, admission), sessionId),
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
      const wanted = runAgain(latest, again)
      if (latest) models?.keys.share(wanted, latest.runId)
      const added = await store.addRun(wanted, { ...room, rejectWhenBusy: true })
      options.onAppended(sessionId)
      options.kick()
      return { session, ...admittedRun(added, sessionId) }
    },
  }
}

async function refuseDeliveryOfNothing(store: Store, { sessionId }: SessionRow, order: RunOrder): Promise<void> {
  if (order.kind !== 'prompt' || order.delivery === undefined) return
  if ((await store.getFill(sessionId))?.repository) return
  const text = `Session "${sessionId}" has no repository: there is nothing to commit to.`
  throw new GatewayError('INVALID_REQUEST', text, { details: { field: 'repository', reason: 'is missing' } })
}
