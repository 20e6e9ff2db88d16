import type {
  AgentEventBody,
  AgentSession,
  CallContext,
  Executor,
  LogEvent,
  RunModels,
  RunProgress,
  RunRow,
  SessionRow,
  Store,
} from '@opencode-gateway/contracts'
import type { Dispatcher } from '../queue/dispatcher.ts'
import type { LiveSessions } from '../live-sessions.ts'
import { decideFate } from './fate.ts'
import { inParallel } from '../waiting/in-parallel.ts'
import type { CrashPoint, Observe } from '../observation.ts'
import { throughOutage } from './outage.ts'
import { quieten } from '../run/quieten.ts'
import { maxOpenRuns, sweep } from './sweep.ts'
import { decideComplete } from '../run/verdict.ts'

export interface RecoveryOptions {
  store: Store
  live: LiveSessions
  dispatcher: Dispatcher
  executors: ReadonlyMap<string, Executor>
  models: RunModels | undefined
  owner: string
  /** How long an executor that is away is waited for before its runs are given up, milliseconds. */
  patienceMs: number
  /** How long an agent may take to end a run that is over. */
  graceMs: number
  /** Releases a session that is over and closes it. */
  release(session: SessionRow): Promise<void>
  /** Tells who waits for the end of the run, or follows it. */
  tellEnded(run: RunRow): void
  observe: Observe
  crashPoint(name: CrashPoint): void
}

/** Sessions that are seen to at the same time. */
const atOnce = 8

/** Settles every run that a former process left, then lets the executors remove what no session needs. */
export async function recover(options: RecoveryOptions, ctx: CallContext): Promise<void> {
  const { store, dispatcher } = options
  const patience = AbortSignal.timeout(options.patienceMs)
  const bySession = Map.groupBy(await store.listOpenRuns(maxOpenRuns), ({ sessionId }) => sessionId)
  // Every one is a few calls of the engine, which a client waits for.
  await inParallel(bySession.values(), atOnce, async (runs) => {
    for (const run of runs) {
      ctx.signal.throwIfAborted()
      if (dispatcher.find(run.runId) === undefined) await recoverRun(run, { ...options, patience }, ctx)
    }
  })
  await sweep(options, ctx)
}

async function recoverRun(
  found: RunRow,
  options: RecoveryOptions & { patience: AbortSignal },
  ctx: CallContext,
): Promise<void> {
  const { store, dispatcher, owner, crashPoint } = options
  if (decideFate(found, false) === 'leave') return
  const session = await store.getSession(found.sessionId)
  const at = Date.now()
  const adopted = session && (await store.adoptRun(found.runId, { owner, leaseUntil: at, at }))
  if (!session || !adopted) return
  crashPoint('after-adopt')
  // As soon as its session is reached again, its engine may call models.
  const expected = adopted.promptedAt === undefined ? undefined : options.models?.expect(adopted.sessionId)
  try {
    await settleRun({ adopted, session, at, expected }, options, ctx)
  } finally {
    // A run that goes on is expected until it is metered, or has ended.
    if (dispatcher.find(adopted.runId) === undefined) expected?.[Symbol.dispose]()
  }
}

interface AdoptedRun {
  adopted: RunRow
  session: SessionRow
  at: number
  expected: Disposable | undefined
}

async function settleRun(
  { adopted, session, at, expected }: AdoptedRun,
  options: RecoveryOptions & { patience: AbortSignal },
  ctx: CallContext,
): Promise<void> {
  const { store, dispatcher, observe, crashPoint } = options
  const agent = adopted.promptedAt === undefined ? undefined : await findAgent(session, adopted, options, ctx)
  // It may have been cancelled while its executor was waited for.
  const run = (await store.getRun(adopted.runId)) ?? adopted
  if (run.complete) return agent && (await quieten(agent, { graceMs: options.graceMs, log: ctx.log }))
  const fate = decideFate(run, agent !== undefined)
  const fence = { sessionId: run.sessionId, runId: run.runId, epoch: run.epoch }
  ctx.log.info({ runId: run.runId, sessionId: run.sessionId, fate }, 'found a run of a former process')
  observe({ kind: 'recovered', fate })
  switch (fate) {
    case 'leave':
      return
    case 'requeue':
      await store.requeueRun(fence, at)
      return crashPoint('after-requeue')
    case 'resume': {
      const events = await eventsOfRun(store, run)
      dispatcher.adopt(run, session, { input: run.input, events })
      void dispatcher.find(run.runId)?.settled.finally(() => expected?.[Symbol.dispose]())
      if (run.cancelRequestedAt !== undefined) void dispatcher.find(run.runId)?.stop({ kind: 'cancel' })
      return
    }
    case 'cancel':
    case 'interrupt':
      await end(run, fate, options)
  }
}

/** An engine that cannot be asked is one that did not survive: one session must not keep the gateway from starting. */
async function findAgent(
  session: SessionRow,
  { runId }: RunRow,
  { live, executors, patience }: RecoveryOptions & { patience: AbortSignal },
  ctx: CallContext,
): Promise<AgentSession | undefined> {
  const executor = executors.get(session.executor)
  try {
    if (!executor) return await live.find(session, ctx)
    return await throughOutage(() => live.find(session, ctx), { executor, patience }, ctx)
  } catch (err) {
    ctx.signal.throwIfAborted()
    ctx.log.error(
      { runId, sessionId: session.sessionId, err },
      'the engine of a run of a former process is not reached',
    )
    return undefined
  }
}

async function end(run: RunRow, fate: 'cancel' | 'interrupt', options: RecoveryOptions): Promise<void> {
  const endedAt = Date.now()
  const complete = decideComplete({
    ending: { kind: 'stopped' },
    stop: fate === 'cancel' ? { kind: 'cancel' } : undefined,
    receipt: undefined,
    limits: { ...run.limits, startMs: 0 },
    prompted: run.promptedAt !== undefined,
    filesModified: [],
    timings: { queued_ms: Math.max(0, (run.claimedAt ?? endedAt) - run.createdAt), total_ms: endedAt - run.createdAt },
    ...(fate === 'interrupt'
      ? { interruptedBy: 'The gateway stopped during the run and the engine did not survive it.' }
      : {}),
  })
  await options.store.append(
    { sessionId: run.sessionId, runId: run.runId, epoch: run.epoch },
    [{ type: 'complete', data: complete }],
    endedAt,
    { state: complete.outcome, endedAt, complete },
  )
  options.tellEnded(run)
}

/** Everything the log holds of the run, oldest first. */
async function eventsOfRun(store: Store, run: RunRow): Promise<RunProgress['events']> {
  const events: AgentEventBody[] = []
  let after = 0
  for (;;) {
    const page = await store.readEvents({ sessionId: run.sessionId, after, limit: 1_000 })
    if (page.status === 'expired') {
      after = page.firstSeq - 1
      continue
    }
    if (page.status !== 'ok' || page.events.length === 0) return events
    for (const event of page.events) {
      after = event.seq
      if (event.runId === run.runId && isAgentEvent(event)) events.push(event)
    }
  }
}

function isAgentEvent(event: LogEvent): event is Extract<LogEvent, AgentEventBody> {
  return event.type !== 'complete' && event.type !== 'status'
}
