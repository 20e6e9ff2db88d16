import type { AgentEvent, Log } from '@opencode-gateway/contracts'
import type { EngineApi } from './engine-api.ts'
import type { EngineAsk } from './engine-model.ts'
import type { Subscription } from './event-hub.ts'
import type { EngineLimits } from './limits.ts'
import { reduce } from './reduce.ts'
import type { ReduceContext, RunView } from './run-view.ts'
import type { RunAsks } from './session-asks.ts'
import { readHistory, readRemains, readSnapshot } from './snapshot.ts'
import { judge } from './verdict.ts'
import type { Verdict } from './verdict.ts'

export interface FollowedRun {
  api: EngineApi
  view: RunView
  subscription: Subscription
  limits: EngineLimits
  log: Log
  wantsStructured: boolean
  /** The engine that worked on it is gone, and this one does not. */
  departed: boolean
  asks: RunAsks
  /** When the run was told to stop, by the engine's clock. */
  cancelledAt(): number | undefined
  /** Sends the prompt again; harmless when the engine has it. Absent: it must not be sent again. */
  resend?: (signal: AbortSignal) => Promise<unknown>
  /** Tells the engine to stop, again. */
  abort(signal: AbortSignal): Promise<void>
}

/**
 * Reads the engine's state and tells what it says: what is missing so far when `behind`, and the outcome when the run
 * has ended. Asks that are not for a person get their answer.
 */
export async function* lookAtRun(
  run: FollowedRun,
  { behind, patienceOver, toldIdle }: { behind: boolean; patienceOver: boolean; toldIdle: boolean },
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, Verdict, undefined> {
  const { api, view, limits } = run
  const snapshot = run.departed
    ? await readRemains(api, view, signal)
    : await readSnapshot(api, view, { whole: behind, toldIdle }, signal)
  const verdict = judge(snapshot, {
    fault: view.fault,
    usage: view.usage,
    wantsStructured: run.wantsStructured,
    withdrawn: withdrawnParts(view),
    cancelledAt: run.cancelledAt(),
    foundAgain: run.resend === undefined,
    departed: run.departed,
    patienceOver: patienceOver || run.departed,
  })
  const cancelled = run.cancelledAt() !== undefined
  if (!cancelled) yield* tellAnswered(view, snapshot.asks, contextOf(limits, 'live'))
  if (behind || verdict.kind === 'ended') {
    for (const event of await readHistory(api, view, snapshot, signal)) {
      if (event.type === 'session') run.subscription.adopt(event.sessionId)
      yield* reduce(view, event, contextOf(limits, 'stored'))
    }
  }
  if (!cancelled) yield* takeAsks(run, snapshot.asks, signal)
  if (verdict.kind === 'ended') yield { type: 'outcome', outcome: { ...verdict.outcome, usage: view.usage } }
  // An abort that comes before the engine has begun with the prompt is lost.
  if (verdict.kind === 'running' && cancelled) await run.abort(signal)
  return verdict
}

/** What the engine no longer waits for was answered, by whomever. */
function* tellAnswered(
  view: RunView,
  pending: readonly EngineAsk[],
  context: ReduceContext,
): Generator<AgentEvent, void, undefined> {
  for (const [askId, state] of view.asks) {
    if (state !== 'open' || pending.some(({ id }) => id === askId)) continue
    yield* reduce(view, { type: 'answered', sessionId: view.sessionId, askId, answer: null }, context)
  }
}

/** Passes on what is for a person. What is not gets its answer at once, and nobody hears of it. */
async function* takeAsks(
  run: FollowedRun,
  pending: readonly EngineAsk[],
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, void, undefined> {
  const { api, view, limits, subscription } = run
  const { directory, sessionId: parentId } = view
  const context = contextOf(limits, 'live')
  for (const ask of pending) {
    const { sessionId } = ask
    const answer = run.asks.answerTo(ask)
    if (answer) {
      if (!view.asks.has(ask.id)) view.asks.set(ask.id, 'resolved')
      await api.answer(ask, { directory, answer }, signal)
      continue
    }
    if (sessionId !== parentId && !view.children.has(sessionId)) {
      subscription.adopt(sessionId)
      yield* reduce(view, { type: 'session', sessionId, parentId }, context)
    }
    yield* reduce(view, { type: 'ask', sessionId, ask }, context)
  }
}

function withdrawnParts(view: RunView): ReadonlySet<string> {
  return new Set([...view.words].flatMap(([id, words]) => (words.withdrawn ? [id] : [])))
}

export function contextOf(limits: EngineLimits, source: ReduceContext['source']): ReduceContext {
  return { source, now: Date.now(), maxToolOutput: limits.maxToolOutput, askTimeoutMs: limits.askTimeoutMs }
}
