import { setTimeout as sleep } from 'node:timers/promises'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { AgentEvent, EventBody, RunProgress, ShellInput } from '@opencode-gateway/contracts'
import { EngineCallError } from './engine-error.ts'
import { followShell, shellPartId } from './follow-shell.ts'
import type { FollowedCommand } from './follow-shell.ts'
import { cancelledOutcome } from './run-frame.ts'
import type { RunWork } from './run-frame.ts'
import { brokenOutcome } from './run-items.ts'
import { stopsAreOver, stopWork } from './session-context.ts'
import type { ActiveRun, SessionContext } from './session-context.ts'
import { createShellSpool } from './shell-spool.ts'
import type { ShellPlace } from './shell-spool.ts'

const WATCH_MS = 500
const BUSY_WAIT_MS = 50
const BUSY_ATTEMPTS = 100

/**
 * A command, run by the engine where the engine is. The engine tells neither an exit code nor standard error apart
 * from standard output, so both come through files that the engine and we can see.
 */
export function createShellWork(
  session: SessionContext,
  place: ShellPlace,
  run: ActiveRun,
  input: ShellInput,
  progress?: RunProgress,
): RunWork {
  const { api, limits, sessionId, directory } = session
  const spool = createShellSpool(place, input.runId)
  const engine = new AbortController()
  let engineCall: ReturnType<FollowedCommand['engineCall']> = { state: 'going on' }
  let calling: Promise<void> = Promise.resolve()
  let begun = false

  const follow = (signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> =>
    followShell(
      {
        runId: input.runId,
        spool,
        limits,
        subscription: run.subscription,
        told: toldBefore(input.runId, progress?.events ?? []),
        isCancelled: () => run.cancelledAt !== undefined,
        engineCall: () => engineCall,
      },
      signal,
    )

  const kill = async (signal: AbortSignal): Promise<number> => {
    await api.shell({ sessionId, directory, command: spool.kill }, signal)
    return await spool.killed()
  }

  const callEngine = async (): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await api.shell({ sessionId, directory, command: spool.start }, engine.signal)
        engineCall = { state: 'returned' }
        return
      } catch (error) {
        // The engine ends the run before a little later than it says so.
        const again = error instanceof EngineCallError && error.status === 409 && attempt < BUSY_ATTEMPTS
        if (!again) {
          engineCall = { state: 'returned', error }
          return
        }
        await sleep(BUSY_WAIT_MS, undefined, { signal: engine.signal }).catch(() => undefined)
      }
    }
  }

  async function* start(signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
    await spool.prepare(input.command)
    signal.throwIfAborted()
    if (run.cancelledAt !== undefined) {
      yield cancelledOutcome()
      return
    }
    begun = true
    if (!session.processes) run.force = kill
    calling = callEngine()
    run.sending = Promise.race([calling, spool.started(engine.signal)])
    // Only who stops the run waits for this. What fails here, the call or the files, is told by following them.
    run.sending.catch(() => undefined)
    yield* follow(signal)
  }

  async function* findAgain(signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
    if (!(await spool.exists())) {
      const message = 'nothing is left of the command'
      yield brokenOutcome('interrupted', new ExecutorError('RUN_INTERRUPTED', message))
      return
    }
    if (run.departed) engineCall = { state: 'returned' }
    else calling = watchEngine()
    yield* follow(signal)
  }

  /** The call that began the command is not ours; when the session is idle, it has returned. */
  const watchEngine = async (): Promise<void> => {
    try {
      while ((await api.busy(directory, engine.signal)).has(sessionId)) {
        await sleep(WATCH_MS, undefined, { signal: engine.signal })
      }
      engineCall = { state: 'returned' }
    } catch (error) {
      engineCall = { state: 'returned', error }
    }
  }

  // It is at work already, before it is found again.
  if (progress && !session.processes) run.force = kill
  return {
    tell: (signal) => (progress ? findAgain(signal) : start(signal)),
    begun: () => begun || progress !== undefined,
    async stop(signal) {
      await stopWork(session, run, signal)
    },
    tellRest: (signal) => follow(signal),
    async end(keep) {
      engine.abort(new Error('the command is no longer watched'))
      await calling
      await stopsAreOver(run)
      if (!keep) await spool.remove()
    },
  }
}

function toldBefore(runId: string, events: readonly EventBody[]): { stdout: number; stderr: number } {
  const count = (type: 'stdout' | 'stderr'): number =>
    events.reduce((sum, { type: kind, data }) => {
      return kind === 'output' && data.part_id === shellPartId(runId, type) ? sum + data.text.length : sum
    }, 0)
  return { stdout: count('stdout'), stderr: count('stderr') }
}
