import { GatewayError, type AskAnswer, type AskData } from '@opencode-gateway/contracts'
import type { RunOutput } from './run-output.ts'

export type PermissionReply = Extract<AskAnswer, { reply: unknown }>
export type QuestionReply = Exclude<AskAnswer, PermissionReply>

export interface PermissionAsk {
  readonly permission: string
  readonly pattern: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly callId: string
}

/** What one run asks. Each ask is told, and waits until it is answered or the run is stopped. */
export interface Asks {
  permission(ask: PermissionAsk): Promise<PermissionReply>
  question(questions: readonly unknown[], callId: string): Promise<QuestionReply>
  /** Throws ASK_NOT_FOUND when nothing waits under the id, INVALID_REQUEST when the answer is of another kind. */
  answer(askId: string, answer: AskAnswer): void
}

export interface AsksOptions {
  readonly runId: string
  readonly output: RunOutput
  /** Aborts when the run is told to stop. */
  readonly signal: AbortSignal
  /** What was allowed for good in this session. */
  readonly approved: Set<string>
}

type Told = Omit<AskData, 'ask_id' | 'expires_at'>

interface Waiting {
  readonly told: Told
  accept(answer: AskAnswer): void
}

export function createAsks({ runId, output, signal, approved }: AsksOptions): Asks {
  const waiting = new Map<string, Waiting>()
  let count = 0

  async function ask(told: Told): Promise<AskAnswer> {
    signal.throwIfAborted()
    count += 1
    const askId = `${runId}-ask-${count}`
    const { promise, resolve: accept, reject } = Promise.withResolvers<AskAnswer>()
    const stop = (): void => {
      waiting.delete(askId)
      reject(signal.reason)
    }
    waiting.set(askId, { told, accept })
    signal.addEventListener('abort', stop, { once: true })
    output.push({ type: 'ask', data: { ask_id: askId, ...told, expires_at: new Date().toISOString() } })
    return await promise.finally(() => signal.removeEventListener('abort', stop))
  }

  function settle(askId: string, { accept }: Waiting, answer: AskAnswer): void {
    waiting.delete(askId)
    output.push({ type: 'ask_resolved', data: { ask_id: askId, answer, by: 'policy' } })
    accept(answer)
  }

  /** As in the engine, a refusal is one of all that waits, and an approval for good is one of all that is alike. */
  function settleOthers(answered: Told, { reply }: PermissionReply): void {
    for (const [askId, other] of waiting) {
      if (other.told.kind !== 'permission') continue
      if (reply === 'reject') settle(askId, other, { reply })
      if (reply === 'always' && keyOf(other.told) === keyOf(answered)) settle(askId, other, { reply })
    }
  }

  return {
    async permission({ permission, pattern, metadata, callId }) {
      const told: Told = { kind: 'permission', permission, patterns: [pattern], metadata, call_id: callId }
      if (approved.has(keyOf(told))) return { reply: 'always' }
      const answer = await ask(told)
      return 'reply' in answer ? answer : { reply: 'reject' }
    },
    async question(questions, callId) {
      const answer = await ask({ kind: 'question', questions: [...questions], call_id: callId })
      return 'reply' in answer ? { reject: true } : answer
    },
    answer(askId, answer) {
      const found = waiting.get(askId)
      if (!found) throw new GatewayError('ASK_NOT_FOUND', `Run "${runId}" does not wait for an answer to "${askId}".`)
      assertFits(askId, found.told, answer)
      if ('reply' in answer && answer.reply === 'always') approved.add(keyOf(found.told))
      settle(askId, found, answer)
      if ('reply' in answer) settleOthers(found.told, answer)
    },
  }
}

function keyOf({ permission, patterns }: Told): string {
  return JSON.stringify([permission, patterns])
}

function assertFits(askId: string, { kind, questions = [] }: Told, answer: AskAnswer): void {
  const fits = kind === 'permission' ? isReply(answer) : isAnswerTo(questions.length, answer)
  if (!fits)
    throw new GatewayError('INVALID_REQUEST', `"${askId}" is a ${kind}; ${JSON.stringify(answer)} is no answer.`)
}

function isReply(answer: AskAnswer): boolean {
  return 'reply' in answer && ['once', 'always', 'reject'].includes(answer.reply)
}

function isAnswerTo(questions: number, answer: AskAnswer): boolean {
  if ('answers' in answer) return answer.answers.length === questions
  return 'reject' in answer
}
