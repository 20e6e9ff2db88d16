import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentEvent } from '@opencode-gateway/contracts'
import { EngineCallError } from './engine-error.ts'
import type { EngineEvent } from './engine-model.ts'
import { contextOf, lookAtRun } from './look.ts'
import type { FollowedRun } from './look.ts'
import { reduce } from './reduce.ts'
import { lostOutcome } from './run-items.ts'
import { markMissed } from './run-view.ts'
import type { RunView } from './run-view.ts'

interface Waiting {
  since: number
  waitMs: number
}

const FIRST_WAIT_MS = 20
const MAX_WAIT_MS = 1_000

/**
 * Tells what happens in a run until it has ended. Events are told as they come; whether the run has ended is always
 * read from the engine's state, which also fills in what the events did not say. `missed`: begin with the state.
 */
export async function* followRun(run: FollowedRun, missed: boolean, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  const { view, subscription, limits } = run
  let behind = missed
  let unsettled: Waiting | undefined
  let failing: Waiting | undefined
  for (;;) {
    const item = behind ? undefined : await subscription.next(unsettled?.waitMs ?? limits.watchMs, signal)
    const gone = item ? undefined : subscription.gone()
    if (gone) {
      yield lostOutcome(gone, { cancelled: run.cancelledAt() !== undefined, usage: view.usage })
      return
    }
    if (item?.kind === 'gap') behind = true
    if (item?.kind === 'event') {
      // Whether an ask is told is decided where it is looked at.
      if (item.event.type !== 'ask') yield* reduce(view, item.event, contextOf(limits, 'live'))
      if (!isReasonToLook(item.event, view)) continue
    }
    if (behind) markMissed(view)
    const toldIdle = item?.kind === 'event' && isIdle(item.event, view)
    const patienceOver = unsettled !== undefined && performance.now() - unsettled.since > limits.settleMs
    try {
      const verdict = yield* lookAtRun(run, { behind, patienceOver, toldIdle }, signal)
      if (verdict.kind === 'ended') return
      unsettled = verdict.kind === 'running' && run.cancelledAt() === undefined ? undefined : longer(unsettled)
      // A prompt that comes while the engine still ends the run before may be stored and never answered.
      const ignored = verdict.kind === 'unsettled' && !verdict.begun && unsettled?.waitMs === MAX_WAIT_MS
      if (ignored) await run.resend?.(signal)
      behind = false
      failing = undefined
    } catch (error) {
      const tooLong = failing !== undefined && performance.now() - failing.since > limits.lostAfterMs
      if (!(error instanceof EngineCallError) || error.code === 'ENGINE_INCOMPATIBLE' || tooLong) throw error
      failing = longer(failing)
      behind = true
      run.log.warn({ err: error, waitMs: failing.waitMs }, 'the engine does not tell its state; it is asked again')
      await sleep(failing.waitMs, undefined, { signal })
    }
  }
}

function longer(waiting: Waiting | undefined): Waiting {
  if (!waiting) return { since: performance.now(), waitMs: FIRST_WAIT_MS }
  return { ...waiting, waitMs: Math.min(waiting.waitMs * 2, MAX_WAIT_MS) }
}

/** Whether the event is a reason to read the engine's state. */
function isReasonToLook(event: EngineEvent, view: RunView): boolean {
  return event.type === 'ask' || isIdle(event, view) || (event.type === 'fault' && event.sessionId === view.sessionId)
}

function isIdle(event: EngineEvent, view: RunView): boolean {
  if (event.type === 'file' || event.sessionId !== view.sessionId) return false
  return event.type === 'idle' || (event.type === 'session-status' && event.status.type === 'idle')
}
