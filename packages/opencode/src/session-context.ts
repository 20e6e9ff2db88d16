import { performance } from 'node:perf_hooks'
import type { CallContext, CancelReceipt, Log } from '@opencode-gateway/contracts'
import { ExecutorError, withSignal } from '@opencode-gateway/contracts'
import type { EngineApi } from './engine-api.ts'
import type { EngineClock } from './engine-clock.ts'
import type { EventHub, Subscription } from './event-hub.ts'
import type { GivenWork } from './given-work.ts'
import type { EngineLimits } from './limits.ts'
import { asExecutorError } from './run-items.ts'
import type { SessionAsks } from './session-asks.ts'
import type { SessionRules } from './session-rules.ts'
import type { ShellPlace } from './shell-spool.ts'
import { stopSession } from './stop-session.ts'
import type { SessionProcesses } from './stop-session.ts'

/** What the runs of one session share. */
export interface SessionContext {
  api: EngineApi
  hub: EventHub
  clock: EngineClock
  limits: EngineLimits
  log: Log
  sessionId: string
  directory: string
  title: string
  shell: ShellPlace | undefined
  processes: SessionProcesses | undefined
  asks: SessionAsks
  rules: SessionRules
  /** Made just now: there is no message in it. */
  isNew: boolean
  /** Ends the engine by force; absent when it is not ours to end. */
  endEngine: ((why: string) => Promise<void>) | undefined
  given: GivenWork
  /** Settles when events come; `stir` makes one happen. */
  streaming(stir: () => Promise<unknown>, signal: AbortSignal): Promise<void>
}

/** The run a session has at the moment. */
export interface ActiveRun {
  subscription: Subscription
  ctx: CallContext
  /** Nothing has begun in the session before. */
  isFirst: boolean
  /** The engine that worked on it is gone, and this one does not: what is written down is all there will be. */
  departed: boolean
  /** When we were told to stop it, by the engine's clock. */
  cancelledAt: number | undefined
  /** Settles when the engine has answered the call that begins the run: an abort before that is lost. */
  sending: Promise<unknown>
  /** Attempts to stop it. A run is over when they are, or they would hit the next one. */
  stops: Set<Promise<unknown>>
  /** An attempt failed; the next one would take as long. */
  unstopped?: ExecutorError
  /** Tells the agent something while it works; absent while that is not possible. */
  steer?: (text: string, signal: AbortSignal) => Promise<void>
  /** Ends by force what the run left, where its processes cannot be seen from here; returns how many there were. */
  force?: (signal: AbortSignal) => Promise<number>
}

/** Stops whatever works in the session; `run` is told to end as cancelled. Throws when the engine does not stop. */
export async function stopWork(
  session: SessionContext,
  run: ActiveRun | undefined,
  signal: AbortSignal,
): Promise<CancelReceipt> {
  if (!run) return await stopEngine(session, undefined, signal)
  run.cancelledAt ??= session.clock.now()
  if (run.unstopped) throw run.unstopped
  const stopping = stopEngine(session, run, signal)
  run.stops.add(stopping)
  try {
    return await stopping
  } catch (error) {
    run.unstopped = asExecutorError(error)
    throw error
  } finally {
    run.stops.delete(stopping)
  }
}

async function stopEngine(
  session: SessionContext,
  run: ActiveRun | undefined,
  signal: AbortSignal,
): Promise<CancelReceipt> {
  const { asks, endEngine, given, limits, log, processes, sessionId } = session
  const startedAt = performance.now()
  const within = AbortSignal.any([signal, AbortSignal.timeout(limits.stopTimeoutMs + limits.lastCallMs)])
  let why: unknown
  try {
    // A call that failed began nothing; what failed is told by the run itself.
    const sent = run?.sending.catch(() => undefined)
    if (sent) await withSignal(sent, within)
    const mayWork = given.mayWork(sessionId)
    const { quiet, ...receipt } = await stopSession({ ...session, mayWork }, within)
    if (quiet) {
      if (mayWork) await asks.dismiss(within)
      const forced = (await run?.force?.(within)) ?? 0
      return { ...receipt, killed: receipt.killed + forced, escalated: receipt.escalated || forced > 0 }
    }
  } catch (error) {
    signal.throwIfAborted()
    why = error
  } finally {
    run?.subscription.look()
  }
  const message = `the engine did not stop the session within ${Math.round(performance.now() - startedAt)} ms`
  if (!endEngine) throw new ExecutorError('EXECUTOR_UNAVAILABLE', message, { cause: why })
  log.error({ sessionId, err: why }, message)
  const killed = processes?.kill(await processes.find()) ?? 0
  await withSignal(endEngine(message), signal)
  const quietAfterMs = Math.round(performance.now() - startedAt)
  return { aborted_sessions: 1, killed: killed + 1, quiet_after_ms: quietAfterMs, escalated: true }
}

/** Settles when nobody stops the run any more. */
export async function stopsAreOver(run: ActiveRun): Promise<void> {
  while (run.stops.size > 0) await Promise.allSettled(run.stops)
}
