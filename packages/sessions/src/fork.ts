import { randomUUID } from 'node:crypto'
import {
  ExecutorError,
  GatewayError,
  type AgentSession,
  type CallContext,
  type IdempotencyKey,
  type NewSession,
  type SessionRow,
  type Store,
  type WorkspaceFill,
} from '@opencode-gateway/contracts'
import { admittedSession } from './queue/admission.ts'
import { orGiveUp } from './waiting/give-up.ts'
import type { Holds } from './queue/holds.ts'
import { markUse } from './in-use.ts'
import { asGatewayError, type LiveSessions } from './live-sessions.ts'
import type { CrashPoint } from './observation.ts'
import { idleSession } from './reset.ts'
import type { SessionsLimits } from './options.ts'
import type { ForkOrder } from './types.ts'

export interface ForkDeps {
  store: Pick<Store, 'createSession' | 'findCreated' | 'getSession' | 'getFill' | 'touchSession'>
  holds: Holds
  live: Pick<LiveSessions, 'fork' | 'workspacesOf' | 'adopt'>
  limits: Pick<SessionsLimits, 'forkTimeoutMs' | 'cancelGraceMs'>
  crashPoint(name: CrashPoint): void
}

type Forked = { session: SessionRow; replayed: boolean }

/**
 * A new session that begins as another one is now, of which no run begins meanwhile. What is copied comes first and the
 * row last: without one, the sweep removes the copy.
 */
export async function forkSession(
  deps: ForkDeps,
  source: SessionRow,
  order: ForkOrder,
  ctx: CallContext,
): Promise<Forked> {
  const { store, holds, live } = deps
  using _hold = await holds.take(source.sessionId, ctx.signal)
  const earlier = await findEarlier(store, order.idempotency)
  if (earlier) return earlier
  const session = await newSession(store, await idleSession(store, source.sessionId), order)
  await markUse(store, source.sessionId)
  const agent = await forkInExecutor(deps, source, session, ctx)
  deps.crashPoint('after-fork')
  try {
    const { ref } = agent ?? {}
    const idempotency = order.idempotency === undefined ? {} : { idempotency: order.idempotency }
    // Its retention counts from when it is there.
    const row = { ...session, createdAt: Date.now(), ...(ref === undefined ? {} : { ref }) }
    const created = await store.createSession(row, undefined, { maxQueued: 0, ...idempotency })
    const admitted = admittedSession(created, session.sessionId)
    if (admitted.replayed) await agent?.release('nothing')
    else if (agent) live.adopt(session.sessionId, agent)
    return admitted
  } catch (error) {
    await agent?.release('nothing')
    throw error
  }
}

/** The key decides first: what was answered once is answered again, whatever the session does by now. */
async function findEarlier(
  store: Pick<Store, 'findCreated'>,
  key: IdempotencyKey | undefined,
): Promise<Forked | undefined> {
  const known = key && (await store.findCreated(key, Date.now()))
  return known && admittedSession(known, '')
}

async function newSession(
  store: Pick<Store, 'getFill'>,
  source: SessionRow,
  { labels = source.labels, retentionMs }: ForkOrder,
): Promise<NewSession> {
  const { tenant, executor, title } = source
  const fill = await store.getFill(source.sessionId)
  return {
    sessionId: randomUUID(),
    tenant,
    executor,
    title,
    labels,
    createdAt: Date.now(),
    oneShot: false,
    keepWorkspace: false,
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(fill === undefined ? {} : { fill: withoutCredentials(fill) }),
  }
}

/** They are sealed for the session they were given to, and are forgotten with it. */
function withoutCredentials({ repository, ...fill }: WorkspaceFill): WorkspaceFill {
  if (repository === undefined) return fill
  const { sealedCredentials: _, ...rest } = repository
  return { ...fill, repository: rest }
}

/** Undefined when there is nothing yet to begin as: such a session begins as the other one will. */
async function forkInExecutor(
  { live, limits }: ForkDeps,
  source: SessionRow,
  { sessionId, title, fill }: NewSession,
  ctx: CallContext,
): Promise<AgentSession | undefined> {
  const { ref } = source
  if (ref === undefined && (await live.workspacesOf(source)?.find(source.sessionId)) === undefined) return undefined
  const fork = live.fork(source)
  if (!fork) {
    const text = `Executor "${source.executor}" cannot fork a session. Make a new one.`
    throw new GatewayError('UNSUPPORTED_OPTION', text)
  }
  const { resources } = fill ?? {}
  const from = {
    sessionId: source.sessionId,
    ...(ref === undefined ? {} : { ref }),
    ...(resources === undefined ? {} : { resources }),
  }
  const deadline = AbortSignal.timeout(limits.forkTimeoutMs)
  const signal = AbortSignal.any([ctx.signal, deadline])
  const forking = fork(from, { sessionId, title }, { ...ctx, signal })
  try {
    const forked = await orGiveUp(forking, signal, limits.cancelGraceMs)
    if (forked !== 'given up') return forked
    // One that comes after all is nobody's.
    forking.then((late) => late.release('nothing')).catch((err: unknown) => ctx.log.warn({ err }, 'a fork broke late'))
    throw signal.reason
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (deadline.aborted) {
      const text = `The fork was not made within ${limits.forkTimeoutMs} ms. Its session goes on as it was.`
      throw new GatewayError('EXECUTOR_UNAVAILABLE', text, { cause: error })
    }
    if (!(error instanceof ExecutorError || error instanceof GatewayError))
      ctx.log.error({ err: error }, 'the fork broke')
    throw asGatewayError(error)
  }
}
