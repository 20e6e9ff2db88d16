import { ExecutorError, withSignal } from '@opencode-gateway/contracts'
import type { AgentEvent, PromptInput, RunProgress } from '@opencode-gateway/contracts'
import { EngineCallError } from './engine-error.ts'
import { followRun } from './follow-run.ts'
import { refuseInheritedNames } from './known-names.ts'
import { createMessageId, isPromptOf } from './message-id.ts'
import { findPrompt, newestMessageId } from './message-pages.ts'
import { optional } from './read.ts'
import { restoreView } from './restore-view.ts'
import { cancelledOutcome } from './run-frame.ts'
import type { RunWork } from './run-frame.ts'
import { brokenOutcome } from './run-items.ts'
import { createRunView } from './run-view.ts'
import type { RunView } from './run-view.ts'
import { stopWork } from './session-context.ts'
import type { ActiveRun, SessionContext } from './session-context.ts'

/** Our clock reading of the engine is taken again when it is older. */
const CLOCK_AGE_MS = 30_000

/** A prompt: sent, or found again by `progress`, and followed to its end. */
export function createPromptWork(
  session: SessionContext,
  run: ActiveRun,
  input: PromptInput,
  progress?: RunProgress,
): RunWork {
  const { api, clock, limits, sessionId, directory } = session
  const asks = session.asks.ofRun(input)
  let view: RunView | undefined

  const follow = (view: RunView, missed: boolean, signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> =>
    followRun(
      {
        api,
        view,
        limits,
        subscription: run.subscription,
        log: run.ctx.log,
        asks,
        wantsStructured: input.outputSchema !== undefined,
        cancelledAt: () => run.cancelledAt,
        departed: run.departed,
        ...(progress ? {} : { resend: () => send(view.userMessageId) }),
        abort: (signal) => api.abort(sessionId, directory, signal),
      },
      missed,
      signal,
    )

  const options = {
    ...optional('model', input.model),
    ...optional('agent', input.agent),
    ...optional('systemPrompt', input.systemPrompt),
    ...optional('outputSchema', input.outputSchema),
  }

  /**
   * The engine reads a message that comes while it works before its next call of the model, and goes by the options
   * of the latest message. One that comes too late is stored and not answered.
   */
  run.steer = async (text, signal) => {
    await withSignal(run.sending, signal)
    await api.addMessage({ sessionId, directory, text, ...options }, signal)
  }

  const setClock = async (signal: AbortSignal): Promise<void> => {
    clock.set(await api.touchSession(sessionId, session.title, signal))
  }

  const nextMessageId = async (signal: AbortSignal): Promise<string> => {
    if (clock.ageMs() > CLOCK_AGE_MS) await setClock(signal)
    const newest = run.isFirst ? undefined : await newestMessageId(api, sessionId, signal)
    return createMessageId({ runId: input.runId, engineNow: clock.now(), newest })
  }

  /**
   * True when the engine may have taken the prompt although its answer was lost. Only the deadline of the call ends
   * it, since the engine would go on with a prompt we turned away from.
   */
  const send = async (messageId: string): Promise<boolean> => {
    const call = {
      sessionId,
      directory,
      messageId,
      partId: messageId.replace('msg_', 'prt_'),
      text: input.prompt,
      ...options,
    }
    try {
      await api.prompt(call, new AbortController().signal)
      return false
    } catch (error) {
      const unanswered = error instanceof EngineCallError && error.code === 'EXECUTOR_UNAVAILABLE' && !error.status
      if (unanswered) return true
      throw error
    }
  }

  async function* start(signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
    refuseInheritedNames(input)
    await session.streaming(() => setClock(signal), signal)
    const userMessageId = await nextMessageId(signal)
    await session.rules.apply(asks.rules, signal)
    signal.throwIfAborted()
    if (run.cancelledAt !== undefined) {
      yield cancelledOutcome()
      return
    }
    view = createRunView({ sessionId, directory, userMessageId })
    const sending = send(userMessageId)
    run.sending = sending
    const missed = await sending
    signal.throwIfAborted()
    yield* follow(view, missed, signal)
  }

  async function* findAgain({ events }: RunProgress, signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
    await session.streaming(() => setClock(signal), signal)
    const userMessageId = await findPrompt(api, sessionId, (id) => isPromptOf(id, input.runId), signal)
    if (userMessageId === undefined) {
      yield brokenOutcome('interrupted', new ExecutorError('RUN_INTERRUPTED', 'the engine does not have the prompt'))
      return
    }
    view = restoreView({ sessionId, directory, userMessageId }, events)
    yield* follow(view, true, signal)
  }

  return {
    tell: (signal) => (progress ? findAgain(progress, signal) : start(signal)),
    begun: () => view !== undefined || progress !== undefined,
    async stop(signal) {
      await stopWork(session, run, signal)
    },
    tellRest(signal) {
      run.cancelledAt ??= clock.now()
      if (view) return follow(view, true, signal)
      return (async function* () {
        yield cancelledOutcome()
      })()
    },
    async end() {},
  }
}
