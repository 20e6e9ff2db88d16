import { GatewayError, type RunRow, type SessionRow, type Store } from '@opencode-gateway/contracts'
import type { Answer, Answerer } from './run/asks.ts'
import type { Dispatcher } from './queue/dispatcher.ts'

export interface AnswerAskOptions {
  store: Store
  dispatcher: Dispatcher
  session: SessionRow
  /** All that are open are among them. */
  runs: readonly RunRow[]
  by: Answerer | undefined
}

/** Hands an answer to the run that waits for it. ASK_RESOLVED for an ask that was there once, ASK_NOT_FOUND for none. */
export async function answerAsk(options: AnswerAskOptions, askId: string, answer: Answer): Promise<void> {
  const { sessionId } = options.session
  try {
    await hand(options, askId, answer)
  } catch (err) {
    const unknown = err instanceof GatewayError && err.code === 'ASK_NOT_FOUND'
    if (!unknown || !(await options.store.wasAsked(sessionId, askId))) throw err
    throw new GatewayError('ASK_RESOLVED', `Ask "${askId}" is over: it has its answer, or its run has ended.`)
  }
}

async function hand({ dispatcher, session, runs, by }: AnswerAskOptions, askId: string, answer: Answer): Promise<void> {
  const driven = runs.flatMap((run) => dispatcher.find(run.runId) ?? []).at(0)
  if (driven) return driven.answer(askId, answer, by)
  if (runs.some(({ asks, complete }) => !complete && asks.some((ask) => ask.askId === askId))) {
    const text = `The run that waits for ask "${askId}" has not been found again yet. Try again in a moment.`
    throw new GatewayError('EXECUTOR_UNAVAILABLE', text, { retryAfterMs: 1_000 })
  }
  const none = `Session "${session.sessionId}" has no ask "${askId}" that waits for an answer.`
  throw new GatewayError('ASK_NOT_FOUND', none)
}
