import { randomUUID } from 'node:crypto'
import {
  budgetLimits,
  GatewayError,
  limitNames,
  modelBudget,
  type AgentEventBody,
  type BudgetAnswer,
  type EventBody,
  type Log,
  type ModelBudget,
  type PendingAsk,
  type ReachedLimit,
  type RunRow,
} from '@opencode-gateway/contracts'
import type { Asks } from './asks.ts'
import type { EventWriter } from './event-writer.ts'
import { raisedBudget } from './raised-budget.ts'

export interface BudgetAskOptions {
  run: RunRow
  /** What the log has of the run, when it was found again. */
  history: readonly EventBody[]
  asks: Pick<Asks, 'pending' | 'saw'>
  writer: Pick<EventWriter, 'add' | 'commit'>
  log: Log
  /** The budget of the run is another one from now on. */
  onRaised(budget: ModelBudget): void
  /** The run is to end, since its budget is used up. */
  onStopped(message: string): void
}

/** What a run asks at a limit of its budget: how much more it may use, or to end. */
export interface BudgetAsk {
  /** As it has been raised by now. */
  budget(): ModelBudget
  /** Calls wait at a limit. Asks, unless it is asked already. */
  reached(limit: ReachedLimit): void
  /** When it settles, what was answered is durable. INVALID_REQUEST for a raise that does not help or goes too far. */
  deliver(ask: PendingAsk, answer: BudgetAnswer, keyId: string | undefined): Promise<void>
}

export function createBudgetAsk(options: BudgetAskOptions): BudgetAsk {
  const { run, asks, writer, log, onRaised, onStopped } = options
  const { raisableTo = {} } = run.limits
  let budget = lastBudget(options.history) ?? run.limits.budget ?? {}

  /** Durable before anything comes of it: a restart must know. */
  async function resolve(data: Extract<AgentEventBody, { type: 'ask_resolved' }>['data']): Promise<void> {
    const { event, patch } = asks.saw({ type: 'ask_resolved', data })
    await writer.commit([event], patch)
  }

  return {
    budget: () => budget,
    reached({ limit, used, message }) {
      if (asks.pending().some(({ data }) => data.kind === 'budget')) return
      const { event, patch } = asks.saw({
        type: 'ask',
        data: {
          ask_id: `budget_${randomUUID()}`,
          kind: 'budget',
          budget: {
            limit: limitNames[limit],
            used: limit === 'wallMs' ? used / 1000 : used,
            budget: budgetLimits(budget),
            at_most: budgetLimits(raisableTo),
            message,
          },
          expires_at: '',
        },
      })
      // A failed write is reported by the writer.
      writer.add(event, patch).catch(() => {})
    },
    async deliver({ askId, data }, answer, keyId) {
      const who = keyId === undefined ? {} : { key_id: keyId }
      if ('stop' in answer) {
        await resolve({ ask_id: askId, answer, by: 'client', ...who })
        return onStopped(data.budget?.message ?? 'The budget of the run is used up.')
      }
      const from = budget
      const to = raisedBudget(from, answer.raise, { reached: data.budget?.limit, raisableTo })
      const raise = budgetLimits(answer.raise)
      await resolve({ ask_id: askId, answer: { raise }, by: 'client', ...who, budget: budgetLimits(to) })
      budget = to
      log.info({ askId, keyId, from, to }, 'the budget of the run is raised')
      onRaised(to)
    },
  }
}

/** What the run was raised to, by what its log tells. */
function lastBudget(history: readonly EventBody[]): ModelBudget | undefined {
  const resolved = history.findLast(({ type, data }) => type === 'ask_resolved' && data.budget !== undefined)
  return resolved?.type === 'ask_resolved' && resolved.data.budget ? modelBudget(resolved.data.budget) : undefined
}

/** What of a run's log is the agent's own affair: budgets are not. */
export function withoutBudgets(events: readonly EventBody[]): readonly EventBody[] {
  const budgets = new Set(
    events.flatMap(({ type, data }) => (type === 'ask' && data.kind === 'budget' ? [data.ask_id] : [])),
  )
  if (budgets.size === 0) return events
  return events.filter(({ type, data }) => (type !== 'ask' && type !== 'ask_resolved') || !budgets.has(data.ask_id))
}

export const notFound = (runId: string): GatewayError =>
  new GatewayError('ASK_NOT_FOUND', `Run "${runId}" no longer waits for an answer.`)
