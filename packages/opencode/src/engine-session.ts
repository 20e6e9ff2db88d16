import { ExecutorError } from '@opencode-gateway/contracts'
import type {
  AgentEvent,
  AskAnswer,
  CallContext,
  CancelReceipt,
  RunInput,
  RunProgress,
} from '@opencode-gateway/contracts'
import { createPromptWork } from './prompt-work.ts'
import { carryOut } from './run-frame.ts'
import type { RunWork } from './run-frame.ts'
import { createRunIterable } from './run-iterable.ts'
import { stopsAreOver, stopWork } from './session-context.ts'
import type { ActiveRun, SessionContext } from './session-context.ts'
import { createShellWork } from './shell-work.ts'

/** A session of the engine and the one run it may have at a time; as `AgentSession` where the names are the same. */
export interface EngineSession {
  readonly engineSessionId: string
  readonly directory: string
  run(input: RunInput, ctx: CallContext): AsyncIterable<AgentEvent>
  resume(progress: RunProgress, ctx: CallContext): AsyncIterable<AgentEvent>
  answer(askId: string, answer: AskAnswer, ctx: CallContext): Promise<void>
  steer(text: string, ctx: CallContext): Promise<void>
  cancel(ctx: CallContext): Promise<CancelReceipt>
  /** Stops what runs and removes the session from the engine. */
  remove(signal: AbortSignal): Promise<void>
}

export function createEngineSession(session: SessionContext): EngineSession {
  const { api, given, hub, limits, sessionId, directory } = session
  let active: ActiveRun | undefined
  let isFirst = session.isNew

  const workFor = (run: ActiveRun, input: RunInput, progress?: RunProgress): RunWork => {
    if (input.kind === 'prompt') return createPromptWork(session, run, input, progress)
    if (session.shell) return createShellWork(session, session.shell, run, input, progress)
    throw new ExecutorError('UNSUPPORTED_OPTION', 'this engine has no place to run commands in')
  }

  const begin = (input: RunInput, ctx: CallContext, progress?: RunProgress): AsyncIterable<AgentEvent> => {
    const isUnderWay = progress !== undefined
    return createRunIterable(
      ctx.signal,
      async function* (signal) {
        if (active) throw new ExecutorError('SESSION_BUSY', `the session "${sessionId}" works on another run`)
        const subscription = hub.subscribe({ sessionId, directory })
        const run: ActiveRun = {
          subscription,
          ctx,
          isFirst,
          departed: progress !== undefined && !given.mayWork(sessionId),
          cancelledAt: undefined,
          sending: Promise.resolve(),
          stops: new Set(),
        }
        active = run
        isFirst = false
        if (!progress) given.begins(session)
        try {
          const { log } = ctx
          yield* carryOut(workFor(run, input, progress), { signal, log, stopTimeoutMs: 2 * limits.stopTimeoutMs })
        } finally {
          await stopsAreOver(run)
          subscription.close()
          active = undefined
        }
      },
      { isUnderWay },
    )
  }

  return {
    engineSessionId: sessionId,
    directory,
    run: begin,
    resume: (progress, ctx) => begin(progress.input, ctx, progress),
    async answer(askId, answer, { signal }) {
      await session.asks.answer(askId, answer, signal)
      // An answer for always may be that of another ask that waits.
      active?.subscription.look()
    },
    async steer(text, { signal }) {
      if (!active || active.cancelledAt !== undefined) throw new ExecutorError('RUN_CANCELLED', 'no run is going on')
      if (!active.steer) throw new ExecutorError('UNSUPPORTED_OPTION', 'a command cannot be told anything')
      await active.steer(text, signal)
    },
    cancel: (ctx) => stopWork(session, active, ctx.signal),
    async remove(signal) {
      await stopWork(session, active, signal)
      await api.deleteSession(sessionId, signal)
      given.forget(sessionId)
    },
  }
}
