import {
  Detached,
  FencedError,
  GatewayError,
  type AgentSession,
  type GitData,
  type Log,
  type RunModels,
  type RunProgress,
  type RunRow,
  type SessionRow,
  type Store,
  type Workspace,
} from '@opencode-gateway/contracts'
import { attend } from './attend.ts'
import { notFound, withoutBudgets } from './budget-ask.ts'
import { conclude } from './conclude.ts'
import { deliver } from './deliver.ts'
import type { DrivenRun, Settlement } from './driven-run.ts'
import { createEventWriter } from './event-writer.ts'
import { maxAttempts } from '../upkeep/fate.ts'
import { graceAfter } from '../waiting/grace-after.ts'
import { asGatewayError, type LiveSessions } from '../live-sessions.ts'
import type { CrashPoint, Observe } from '../observation.ts'
import { openInTime } from './open-in-time.ts'
import { rememberWork } from './remember-work.ts'
import type { KeyedRuns } from '../queue/run-keys.ts'
import { createRunAsks } from './run-asks.ts'
import { createRunMeter } from './run-meter.ts'
import { createRunStop } from './run-stop.ts'
import { createRunWatch } from './run-watch.ts'
import type { SessionsLimits } from '../options.ts'
import { createWorkspaceGuard } from './workspace-guard.ts'
import type { Ending } from './ending.ts'

export interface RunDriverOptions {
  store: Store
  live: LiveSessions
  log: Log
  limits: SessionsLimits
  models: RunModels | undefined
  keyed: KeyedRuns
  observe: Observe
  crashPoint(name: CrashPoint): void
  /** After every durable change of the session's log. */
  onAppended(sessionId: string): void
}

/** Starts to carry out a claimed run. With `progress` it goes on with one that had already been sent. */
export function driveRun(
  run: RunRow,
  session: SessionRow,
  options: RunDriverOptions,
  progress?: RunProgress,
): DrivenRun {
  const { store, live, limits, models, keyed, observe, crashPoint } = options
  const { cancelGraceMs: graceMs } = limits
  const log = options.log.child({ runId: run.runId, sessionId: run.sessionId, requestId: run.requestId })
  const stop = createRunStop({ log, graceMs })
  const watch = createRunWatch(run)
  const lettingGo = new AbortController()
  const guard = createWorkspaceGuard({
    limits: limits.workspace,
    ownBytes: async () => (await store.getFill(session.sessionId))?.resources?.diskBytes,
    log,
  })
  const engaged = Promise.withResolvers<AgentSession>()
  let agent: AgentSession | undefined
  const meter = createRunMeter({ run, models, keyed, stop, resumed: progress !== undefined, graceMs, log })

  const writer = createEventWriter({
    store,
    fence: { sessionId: run.sessionId, runId: run.runId, epoch: run.epoch },
    mergeWindowMs: limits.mergeWindowMs,
    mergeBytes: limits.mergeBytes,
    onAppended(events, lagMs) {
      observe({ kind: 'appended', events, lagMs })
      options.onAppended(run.sessionId)
    },
    onFailure: (error) => stop.breakOff(error),
  })

  const { asks, budgetAsk } = createRunAsks({
    run,
    history: progress?.events ?? [],
    engaged: engaged.promise,
    meter,
    stop,
    writer,
    observe,
    graceMs,
    log,
  })

  /** For the guard: a run does without it. */
  async function workspace(): Promise<Workspace | undefined> {
    try {
      return await live.workspacesOf(session)?.find(session.sessionId)
    } catch (err) {
      log.warn({ err }, 'the workspace could not be found: it is not measured')
      return undefined
    }
  }

  /** Who cancels the run waits for its end, also when it is cancelled meanwhile. */
  async function remember(): Promise<void> {
    using grace = graceAfter(stop.opening, graceMs)
    await rememberWork({ run, session, live }, { signal: AbortSignal.any([lettingGo.signal, grace.signal]), log })
  }

  function halted(): boolean {
    return stop.reason() !== undefined || stop.detached()
  }

  async function work(): Promise<Ending> {
    const opened = await openInTime({
      session,
      live,
      stop,
      limits,
      wallMs: run.limits.wallMs,
      log,
      onGit(event) {
        watch.saw({ type: 'git', data: event })
        tellGit(event)
      },
      // Of a run that went on without us nobody knows what it found.
      beside: async (signal) => guard.before(progress ? undefined : await workspace(), signal),
    })
    const openMs = watch.opened()
    // From here on the engine's own lines can be told to belong to the run.
    log.info({ ref: opened.ref, openMs }, 'the session is open')
    crashPoint('after-open')
    // It works already, whatever is asked of it before it is followed.
    if (progress) stop.engage(opened)
    if (halted()) return { kind: 'stopped' }
    await meter.begin(opened, budgetAsk)
    if (!progress) {
      // The barrier: from here on the run is never started a second time.
      const running = { type: 'status', data: { status: 'running' } } as const
      await writer.commit([running], { state: 'running', promptedAt: Date.now() })
      watch.prompted()
      crashPoint('after-barrier')
    }
    const watched = await workspace()
    if (halted()) return { kind: 'stopped' }
    agent = opened
    if (!progress) stop.engage(opened)
    engaged.resolve(opened)
    guard.watch(watched, (message) => stop.request({ kind: 'workspace_full', message }))
    const ctx = { signal: stop.working, log }
    const known = progress && { ...progress, events: withoutBudgets(progress.events) }
    return await attend({
      run,
      agent: opened,
      events: known ? opened.resume(known, ctx) : opened.run(run.input, ctx),
      asks,
      meter,
      stop,
      watch,
      writer,
      log,
      maxOutputBytes: limits.maxOutputBytes,
      graceMs,
      onFirstEvent: () => crashPoint('after-first-event'),
      onStep: guard.touch,
    })
  }

  /** A failed write is reported by the writer. */
  function tellGit(event: GitData): void {
    writer.add({ type: 'git', data: event }).catch(() => {})
  }

  function mayTryAgain(error: GatewayError): boolean {
    return error.retryable && agent === undefined && progress === undefined && run.attempts < maxAttempts
  }

  async function drive(): Promise<Settlement> {
    let ending: Ending
    try {
      ending = await work()
    } catch (error) {
      if (error instanceof FencedError || (error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE')) {
        return lost(error)
      }
      const known = asGatewayError(error)
      if (!halted()) log.warn({ err: error }, 'the run could not be carried out')
      if (!halted() && mayTryAgain(known)) return { kind: 'retry', error: known }
      ending = { kind: 'error', error: known }
    } finally {
      // What was used is stored while the run is put away.
      void meter.end()
    }
    if (stop.detached()) return { kind: 'detached' }
    ending = await guard.settle(ending, AbortSignal.any([lettingGo.signal, stop.opening]))
    const delivering = AbortSignal.any([stop.opening, stop.working])
    const delivery = await deliver({ run, session, ending, live, onGit: tellGit }, { signal: delivering, log })
    if (stop.detached()) return { kind: 'detached' }
    if (agent) await remember()
    // Calls that were broken off just now are on its account, too.
    await meter.end()
    const prompted = agent !== undefined || progress !== undefined
    const { startTimeoutMs } = limits
    const what = { run, ending, delivery, stop, asks, meter, watch, prompted, startTimeoutMs }
    return conclude({ ...what, writer, log, observe, crashPoint }).then(() => ({ kind: 'ended' }), lost)
  }

  function lost(err: unknown): Settlement {
    if (err instanceof FencedError) {
      observe({ kind: 'fenced' })
      log.info({ err }, 'the run has ended meanwhile, or belongs to another process')
    } else log.error({ err }, 'the state of the run could not be written; it is recovered at the next start')
    return { kind: 'lost' }
  }

  engaged.promise.catch(() => {})
  const settled = drive().finally(async () => {
    stop[Symbol.dispose]()
    guard[Symbol.dispose]()
    asks[Symbol.dispose]()
    engaged.reject(notFound(run.runId))
    await meter.end()
  })
  return {
    run,
    async stop(why) {
      stop.request(why)
      await settled
      return await stop.receipt()
    },
    answer: asks.answer,
    detach() {
      stop.detach()
      lettingGo.abort(new Detached())
    },
    settled,
  }
}
