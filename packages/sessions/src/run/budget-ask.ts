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
  type ModelMeter,
  type PendingAsk,
  type RaisedLimit,
  type ReachedLimit,
  type RunRow,
} from '@opencode-gateway/contracts'
import type { Answerer, Asks } from './asks.ts'
import { isOfOperator, operatorsScope, refuseRaise } from './budget-owners.ts'
import type { EventWriter } from './event-writer.ts'
import { raisedBudget } from './raised-budget.ts'

export interface BudgetAskOptions {
  run: RunRow
  /** What the log has of the run, when it was found again. */
  history: readonly EventBody[]
  asks: Pick<Asks, 'pending' | 'saw'>
  writer: Pick<EventWriter, 'add' | 'commit'>
  log: Log
  /** Knows the budgets that the run shares. */
  shared: ModelMeter['shared']
  /** The budget of the run is another one from now on. */
  onRaised(budget: ModelBudget): void
  /** The run is to end, since its budget is used up. */
  onStopped(message: string): void
}

/** What a run asks at a limit of a budget: how much more may be used, or to end. */
export interface BudgetAsk {
  /** Of the run itself, as it has been raised by now. */
  budget(): ModelBudget
  /** Calls wait at a limit: asks, unless that is asked already. Undefined: none waits, nobody has to answer any more. */
  reached(limit: ReachedLimit | undefined): void
  /**
   * When it settles, what was answered is durable. INVALID_REQUEST for a raise that does not help or goes too far,
   * FORBIDDEN for one that is not the answerer's.
   */
  deliver(ask: PendingAsk, answer: BudgetAnswer, by: Answerer): Promise<void>
}

type Resolved = Extract<AgentEventBody, { type: 'ask_resolved' }>['data']

export function createBudgetAsk(options: BudgetAskOptions): BudgetAsk {
  const { run, asks, writer, log, onRaised, onStopped } = options
  const { raisableTo = {} } = run.limits
  let budget = lastBudget(options.history) ?? run.limits.budget ?? {}

  const pending = (): PendingAsk | undefined => asks.pending().find(({ data }) => data.kind === 'budget')

  /** Durable before anything comes of it: a restart must know. What is raised is stored with the answer, or not at all. */
  async function resolve(data: Resolved, raised?: readonly RaisedLimit[]): Promise<void> {
    const { event, patch } = asks.saw({ type: 'ask_resolved', data })
    await writer.commit([event], raised === undefined ? patch : { ...patch, raised })
  }

  function withdraw({ askId }: PendingAsk): void {
    const { event, patch } = asks.saw({
      type: 'ask_resolved',
      data: { ask_id: askId, answer: { raise: {} }, by: 'policy' },
    })
    // A failed write is reported by the writer.
    writer.add(event, patch).catch(() => {})
  }

  async function raiseShared({ askId, data }: PendingAsk, raise: ModelBudget, by: Answerer): Promise<void> {
    const { of = 'run', day, limit: reached } = data.budget ?? {}
    if (of === 'run') return
    refuseRaise(of, run, by)
    const shared = options.shared(of, day)
    const told = { ask_id: askId, answer: { raise: budgetLimits(raise) }, by: 'client', ...who(by), of } as const
    // Its day is over, or the operator has taken the limit away: nothing is to be raised.
    if (!shared) {
      await resolve(told)
      return onRaised(budget)
    }
    const from = shared.budget()
    const to = raisedBudget(from, raise, { reached, raisableTo: {} })
    await resolve({ ...told, budget: budgetLimits(to) }, shared.toStore(raise))
    log.info({ askId, keyId: by.keyId, of, from, to }, 'a budget that runs share is raised')
    shared.raise(raise)
  }

  return {
    budget: () => budget,
    reached(limit) {
      const open = pending()
      if (open && limit && open.data.budget?.limit === limitNames[limit.limit] && isAbout(open, limit)) return
      if (open) withdraw(open)
      if (!limit) return
      const { event, patch } = asks.saw({ type: 'ask', data: askData(limit, raisableTo) })
      // A failed write is reported by the writer.
      writer.add(event, patch).catch(() => {})
    },
    async deliver(ask, answer, by) {
      const { askId, data } = ask
      if (pending()?.askId !== askId) {
        throw new GatewayError('ASK_RESOLVED', `Ask "${askId}" is over: its budget was raised meanwhile.`)
      }
      if ('stop' in answer) {
        await resolve({ ask_id: askId, answer, by: 'client', ...who(by) })
        return onStopped(data.budget?.message ?? 'The budget of the run is used up.')
      }
      const { of = 'run', limit: reached } = data.budget ?? {}
      if (of !== 'run') return await raiseShared(ask, answer.raise, by)
      const from = budget
      const to = raisedBudget(from, answer.raise, { reached, raisableTo })
      const raise = budgetLimits(answer.raise)
      await resolve({ ask_id: askId, answer: { raise }, by: 'client', ...who(by), of, budget: budgetLimits(to) })
      budget = to
      log.info({ askId, keyId: by.keyId, from, to }, 'the budget of the run is raised')
      onRaised(to)
    },
  }
}

const who = ({ keyId }: Answerer): { key_id?: string } => (keyId === undefined ? {} : { key_id: keyId })

const isAbout = ({ data }: PendingAsk, { of, day }: ReachedLimit): boolean =>
  (data.budget?.of ?? 'run') === of && data.budget?.day === day

function askData(
  { of, day, limit, used, budget, message }: ReachedLimit,
  raisableTo: ModelBudget,
): Extract<AgentEventBody, { type: 'ask' }>['data'] {
  return {
    ask_id: `budget_${randomUUID()}`,
    kind: 'budget',
    budget: {
      of,
      ...(day === undefined ? {} : { day }),
      limit: limitNames[limit],
      used: limit === 'wallMs' ? used / 1000 : used,
      budget: budgetLimits(budget),
      at_most: of === 'run' ? budgetLimits(raisableTo) : {},
      ...(isOfOperator(of) ? { scope: operatorsScope } : {}),
      message,
    },
    expires_at: '',
  }
}

/** What the run was raised to, by what its log tells. */
function lastBudget(history: readonly EventBody[]): ModelBudget | undefined {
  const resolved = history.findLast(
    ({ type, data }) => type === 'ask_resolved' && data.budget !== undefined && (data.of ?? 'run') === 'run',
  )
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
