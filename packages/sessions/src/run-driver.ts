import {
  Detached,
  FencedError,
  GatewayError,
  type AgentSession,
  type AskAnswer,
  type CancelReceipt,
  type GitData,
  type Log,
  type ModelMeter,
  type ModelStop,
  type OnGit,
  type RunModels,
  type RunProgress,
  type RunRow,
  type SessionRow,
  type Store,
  type Workspace,
} from '@opencode-gateway/contracts'
import { createAsks } from './asks.ts'
import { attend } from './attend.ts'
import { deliver, type DeliveryResult } from './deliver.ts'
import { createEventWriter } from './event-writer.ts'
import { maxAttempts } from './fate.ts'
import { orGiveUp } from './give-up.ts'
import { graceAfter } from './grace-after.ts'
import { asGatewayError, type LiveSessions } from './live-sessions.ts'
import type { CrashPoint, Observe } from './observation.ts'
import { orAborted } from './or-aborted.ts'
import { rememberWork } from './remember-work.ts'
import { createRunStop } from './run-stop.ts'
import { createRunWatch } from './run-watch.ts'
import type { SessionsLimits } from './types.ts'
import { createWorkspaceGuard } from './workspace-guard.ts'
import { decideComplete, type Ending, type Stop } from './verdict.ts'

export interface RunDriverOptions {
  store: Store
  live: LiveSessions
  log: Log
  limits: SessionsLimits
  models: RunModels | undefined
  observe: Observe
  crashPoint(name: CrashPoint): void
  /** After every durable change of the session's log. */
  onAppended(sessionId: string): void
}

/** A run at work in this process. */
export interface DrivenRun {
  readonly run: RunRow
  /** Stops the run; settles when it has ended. The first reason counts. */
  stop(stop: Stop): Promise<CancelReceipt | undefined>
  /** Hands a client's answer to the agent. */
  answer(askId: string, answer: AskAnswer): Promise<void>
  /** Lets go without stopping it; the store keeps its state. */
  detach(): void
  readonly settled: Promise<Settlement>
}

/** `retry`: nothing had reached the engine and trying again may help. `lost`: its state could not be written. */
export type Settlement =
  | { kind: 'ended' }
  | { kind: 'detached' }
  | { kind: 'retry'; error: GatewayError }
  | { kind: 'lost' }

/** Starts to carry out a claimed run. With `progress` it goes on with one that had already been sent. */
export function driveRun(
  run: RunRow,
  session: SessionRow,
  options: RunDriverOptions,
  progress?: RunProgress,
): DrivenRun {
  const { store, live, limits, models, observe, crashPoint } = options
  const log = options.log.child({ runId: run.runId, sessionId: run.sessionId, requestId: run.requestId })
  const stop = createRunStop({ log, graceMs: limits.cancelGraceMs })
  const watch = createRunWatch(run)
  const lettingGo = new AbortController()
  const guard = createWorkspaceGuard({ limits: limits.workspace, log })
  const engaged = Promise.withResolvers<AgentSession>()
  let agent: AgentSession | undefined
  let meter: ModelMeter | undefined
  let metered: Promise<void> | undefined

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

  const asks = createAsks({
    timeoutMs: run.limits.askMs,
    open: run.asks,
    history: progress?.events ?? [],
    async deliver(askId, answer) {
      // After a restart the asks are known before the session is attached again.
      const session = await engaged.promise
      await session.answer(askId, answer, { signal: AbortSignal.timeout(limits.cancelGraceMs), log })
    },
    onResolved: (by) => observe({ kind: 'ask', by }),
    onUndeliverable(askId, err) {
      log.warn({ err, askId }, 'the agent did not take the refusal of an ask; the run is ended')
      stop.request({ kind: 'ask_timeout' })
    },
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

  async function open(): Promise<AgentSession> {
    const startLimit = (): NodeJS.Timeout =>
      setTimeout(() => stop.request({ kind: 'start_timeout' }), limits.startTimeoutMs)
    let limit = startLimit()
    const onGit: OnGit = (event) => {
      // A large repository may take longer than an engine; whoever clones it has a limit of its own.
      clearTimeout(limit)
      if (event.state === 'done') limit = startLimit()
      watch.saw({ type: 'git', data: event })
      tellGit(event)
    }
    const signal = AbortSignal.any([stop.opening, stop.working])
    try {
      // Of a run that went on without us nobody knows what it found.
      const [, opened] = await Promise.all([
        guard.before(progress ? undefined : await workspace(), signal),
        orGiveUp(live.obtain(session, { signal, log }, onGit), signal, limits.cancelGraceMs),
      ])
      if (opened !== 'given up') return opened
      throw new GatewayError('START_TIMEOUT', 'The executor did not stop opening the session.')
    } finally {
      clearTimeout(limit)
    }
  }

  async function beginMeter(): Promise<ModelMeter | undefined> {
    if (run.input.kind !== 'prompt') return undefined
    const { runId, sessionId, tenant } = run
    const { budget = {} } = run.limits
    const { modelOptions } = run.input
    const options = modelOptions === undefined ? {} : { options: modelOptions }
    const onStop = (why: ModelStop): void => stop.request({ kind: 'model', ...why })
    const resumed = progress === undefined ? {} : { resumed: true as const }
    return await models?.begin({ runId, sessionId, tenant, budget, ...options, ...resumed }, onStop)
  }

  /** Ends what an agent still does that the run has not come to hold. Never rejects. */
  async function quieten(opened: AgentSession): Promise<void> {
    const signal = AbortSignal.timeout(limits.cancelGraceMs)
    try {
      await orAborted(opened.cancel({ signal, log }), signal)
    } catch (err) {
      log.warn({ err }, 'the executor did not confirm that a run which cannot go on is cancelled')
    }
  }

  /** Who cancels the run waits for its end, also when it is cancelled meanwhile. */
  async function remember(): Promise<void> {
    using grace = graceAfter(stop.opening, limits.cancelGraceMs)
    await rememberWork({ run, session, live }, { signal: AbortSignal.any([lettingGo.signal, grace.signal]), log })
  }

  function halted(): boolean {
    return stop.reason() !== undefined || stop.detached()
  }

  async function work(): Promise<Ending> {
    const opened = await open()
    const openMs = watch.opened()
    observe({ kind: 'opened', openMs })
    // From here on the engine's own lines can be told to belong to the run.
    log.info({ ref: opened.ref, openMs }, 'the session is open')
    crashPoint('after-open')
    if (halted()) return { kind: 'stopped' }
    try {
      meter = await beginMeter()
    } catch (error) {
      if (progress && !(error instanceof FencedError) && !stop.detached()) await quieten(opened)
      throw error
    }
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
    stop.engage(opened)
    engaged.resolve(opened)
    guard.watch(watched, (message) => stop.request({ kind: 'workspace_full', message }))
    const ctx = { signal: stop.working, log }
    return await attend({
      run,
      agent: opened,
      events: progress ? opened.resume(progress, ctx) : opened.run(run.input, ctx),
      asks,
      meter,
      stop,
      watch,
      writer,
      log,
      maxOutputBytes: limits.maxOutputBytes,
      graceMs: limits.cancelGraceMs,
      onFirstEvent: () => crashPoint('after-first-event'),
      onStep: guard.touch,
    })
  }

  /** A failed write is reported by the writer. */
  function tellGit(event: GitData): void {
    writer.add({ type: 'git', data: event }).catch(() => {})
  }

  async function finish(ending: Ending, delivery: DeliveryResult | undefined): Promise<void> {
    const receipt = await stop.receipt()
    const endedAt = Date.now()
    const complete = decideComplete({
      ending,
      delivery,
      stop: stop.reason(),
      askExpired: asks.expired(),
      receipt,
      limits: { ...run.limits, startMs: limits.startTimeoutMs },
      prompted: agent !== undefined || progress !== undefined,
      usage: meter?.usage(),
      filesModified: watch.filesModified(),
      timings: watch.timings(endedAt),
    })
    crashPoint('before-complete')
    await writer.commit([{ type: 'complete', data: complete }], {
      state: complete.outcome,
      endedAt,
      complete,
      progress: complete.success ? 100 : run.progress,
      currentTool: null,
    })
    crashPoint('after-complete')
    observe({ kind: 'ended', complete })
    log.info({ outcome: complete.outcome, code: complete.error?.code, totalMs: complete.timings.total_ms }, 'run ended')
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
      metered = meter?.end()
    }
    if (stop.detached()) return { kind: 'detached' }
    ending = await guard.settle(ending, AbortSignal.any([lettingGo.signal, stop.opening]))
    const delivering = AbortSignal.any([stop.opening, stop.working])
    const delivery = await deliver({ run, session, ending, live, onGit: tellGit }, { signal: delivering, log })
    if (stop.detached()) return { kind: 'detached' }
    if (agent) await remember()
    return finish(ending, delivery).then(() => ({ kind: 'ended' }), lost)
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
    engaged.reject(new GatewayError('ASK_NOT_FOUND', `Run "${run.runId}" no longer waits for an answer.`))
    await metered
  })
  return {
    run,
    async stop(why) {
      stop.request(why)
      const receipt = await stop.receipt()
      await settled
      return receipt
    },
    answer: (askId, answer) => asks.answer(askId, answer),
    detach() {
      stop.detach()
      lettingGo.abort(new Detached())
    },
    settled,
  }
}
