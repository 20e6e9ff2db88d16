import {
  GatewayError,
  type AgentEventBody,
  type AskAnswer,
  type BudgetAnswer,
  type EventBody,
  type PendingAsk,
  type RunPatch,
} from '@opencode-gateway/contracts'

export interface AsksOptions {
  /** How long an ask waits for its answer, milliseconds. */
  timeoutMs: number
  /** Asks that were open when a former process stopped. */
  open: readonly PendingAsk[]
  /** What the log has of the run, when it was found again. */
  history: readonly EventBody[]
  /** Hands an answer to whoever waits for it. Rejects with ASK_NOT_FOUND when nobody does any more. */
  deliver(ask: PendingAsk, answer: Answer, by: Answerer): Promise<void>
  /** An ask has its answer. */
  onResolved(by: 'client' | 'policy' | 'timeout'): void
  /** The refusal of an ask whose time was over could not be handed to the agent. */
  onUndeliverable(askId: string, error: unknown): void
}

/** What an agent is answered, or a run at a limit of a budget. */
export type Answer = AskAnswer | BudgetAnswer

/** Whoever answers. */
export interface Answerer {
  /** The API key. */
  keyId?: string | undefined
  /** May raise what keys may use, and what may be used on a day. */
  mayRaise?: boolean
}

/** The asks of one run that wait for an answer. Each gets one: from a client, or when its time is over a refusal. */
export interface Asks extends Disposable {
  /** Takes note of an event; returns it as it goes into the log, and what it changes on the run. */
  saw(event: AgentEventBody): { event: AgentEventBody; patch: RunPatch | undefined }
  /** Answers for a client. ASK_NOT_FOUND, ASK_RESOLVED, INVALID_REQUEST when the answer does not fit the ask. */
  answer(askId: string, answer: Answer, by?: Answerer): Promise<void>
  waiting(): boolean
  /** What waits for an answer. */
  pending(): readonly PendingAsk[]
  /** `listener` is told whenever something begins or ceases to wait; there is one at most. */
  onWaiting(listener: (waiting: boolean) => void): void
  /** The last answer that was given is the refusal of an ask whose time was over. */
  expired(): boolean
}

type By = 'client' | 'policy' | 'timeout'

/** Ids of answered asks that are remembered, so that a second answer is told apart from a wrong id. */
const maxRemembered = 1_000

export function createAsks(options: AsksOptions): Asks {
  const pending = new Map<string, { ask: PendingAsk; timer: NodeJS.Timeout; answeredBy?: By; answer?: Answer }>()
  const resolved = new Set<string>()
  let expired = false
  let told: (waiting: boolean) => void = () => {}

  /** An answer by the gateway's own rules says nothing about whether anybody is there to answer. */
  function noteGiven(by: By): void {
    if (by !== 'policy') expired = by === 'timeout'
  }

  function open(ask: PendingAsk): void {
    const timer = setTimeout(() => expire(ask), Math.max(0, ask.expiresAt - Date.now()))
    pending.set(ask.askId, { ask, timer })
  }

  function expire(ask: PendingAsk): void {
    give(ask.askId, refusal(ask), 'timeout').catch((error: unknown) => options.onUndeliverable(ask.askId, error))
  }

  async function give(askId: string, answer: Answer, by: By, who: Answerer = {}): Promise<void> {
    const entry = pending.get(askId)
    if (!entry || entry.answeredBy !== undefined) {
      const known = entry !== undefined || resolved.has(askId)
      throw known
        ? new GatewayError('ASK_RESOLVED', `Ask "${askId}" has its answer already.`)
        : new GatewayError('ASK_NOT_FOUND', `There is no ask "${askId}" that waits for an answer.`)
    }
    clearTimeout(entry.timer)
    entry.answeredBy = by
    entry.answer = answer
    try {
      await options.deliver(entry.ask, answer, who)
      noteGiven(by)
    } catch (error) {
      // Not delivered: it still waits, and somebody may try again until its time is over.
      delete entry.answeredBy
      delete entry.answer
      if (pending.get(askId) === entry && by === 'client') open(entry.ask)
      throw error
    }
  }

  function patch(): RunPatch {
    const asks = [...pending.values()].map(({ ask }) => ask)
    told(asks.length > 0)
    return { state: asks.length > 0 ? 'waiting_input' : 'running', asks }
  }

  for (const ask of options.open) open(ask)
  for (const { type, data } of options.history) if (type === 'ask_resolved') noteGiven(data.by)

  return {
    saw(event) {
      if (event.type === 'ask') {
        const { expires_at: _, ...rest } = event.data
        const expiresAt = Date.now() + options.timeoutMs
        const data = { ...rest, expires_at: new Date(expiresAt).toISOString() }
        open({ askId: data.ask_id, expiresAt, data })
        return { event: { type: 'ask', data }, patch: patch() }
      }
      if (event.type === 'ask_resolved') {
        const { ask_id: askId } = event.data
        const entry = pending.get(askId)
        clearTimeout(entry?.timer)
        pending.delete(askId)
        if (resolved.size < maxRemembered) resolved.add(askId)
        const by = entry?.answeredBy ?? event.data.by
        options.onResolved(by)
        noteGiven(by)
        // That of a budget is written as its client gave it.
        const answer = entry?.ask.data.kind === 'budget' ? event.data.answer : (entry?.answer ?? event.data.answer)
        return { event: { type: 'ask_resolved', data: { ...event.data, answer, by } }, patch: patch() }
      }
      return { event, patch: undefined }
    },
    async answer(askId, answer, who) {
      const ask = pending.get(askId)?.ask
      if (ask) assertFits(ask, answer)
      await give(askId, answer, 'client', who)
    },
    waiting: () => pending.size > 0,
    pending: () => [...pending.values()].map(({ ask }) => ask),
    onWaiting(listener) {
      told = listener
    },
    expired: () => expired,
    [Symbol.dispose]() {
      for (const { timer } of pending.values()) clearTimeout(timer)
      pending.clear()
    },
  }
}

/** What an ask gets when nobody answers: the safe no. */
export function refusal({ data }: PendingAsk): Answer {
  if (data.kind === 'budget') return { stop: true }
  return data.kind === 'permission' ? { reply: 'reject' } : { reject: true }
}

const expected = {
  permission: '"reply": once, always or reject',
  question: '"answers", or "reject": true',
  budget: '"raise", or "stop": true',
} as const

const fits: Readonly<Record<keyof typeof expected, (answer: Answer) => boolean>> = {
  permission: (answer) => 'reply' in answer,
  question: (answer) => 'answers' in answer || 'reject' in answer,
  budget: (answer) => 'raise' in answer || 'stop' in answer,
}

function assertFits({ askId, data: { kind } }: PendingAsk, answer: Answer): void {
  if (fits[kind](answer)) return
  throw new GatewayError('INVALID_REQUEST', `Ask "${askId}" is a ${kind}; answer it with ${expected[kind]}.`)
}
