import {
  budgetKinds,
  GatewayError,
  limitNames,
  modelBudget,
  type Budget,
  type BudgetRaise,
  type ModelBudget,
} from '@opencode-gateway/contracts'
import type { OrderLimits } from '@opencode-gateway/sessions'
import { durationMs } from './duration.ts'

/** Whether runs ask at a limit of a budget: never, where the request says so, or unless it says otherwise. */
export const budgetAsking = ['never', 'request', 'always'] as const
export type BudgetAsking = (typeof budgetAsking)[number]

export interface BudgetRules {
  /** What a run may use of models at most, and does unless its request says less. */
  most: ModelBudget
  /** What an answer may raise it to. */
  raisableTo: ModelBudget
  asking: BudgetAsking
}

/** What a run may use of models: what its request says, within what the gateway allows. Throws INVALID_REQUEST. */
export function budgetOrder(
  asked: Budget | undefined,
  { most, raisableTo, asking: when }: BudgetRules,
): Pick<OrderLimits, 'budget' | 'raisableTo'> {
  const { on_limit: onLimit = when === 'always' ? 'ask' : 'end', ...amounts } = asked ?? {}
  const wanted = readAmounts(amounts, 'budget')
  for (const limit of budgetKinds) {
    const [given, bound] = [wanted[limit], most[limit]]
    if (given === undefined || bound === undefined || given <= bound) continue
    const [text, unit] = limit === 'wallMs' ? [bound / 1000, 's'] : [bound, '']
    const name = limitNames[limit]
    throw refusal(`budget.${name}`, amounts[name], `must be at most ${text}${unit} (RUN_BUDGET)`)
  }
  if (onLimit === 'ask' && when === 'never') {
    throw refusal('budget.on_limit', onLimit, 'is not allowed by this gateway (BUDGET_ASK)')
  }
  const budget = { ...most, ...wanted }
  const asking = onLimit === 'ask' ? { raisableTo } : {}
  // It can come to a limit of a budget that it shares all the same.
  if (asked === undefined && Object.keys(budget).length === 0) return asking
  return { budget, ...asking }
}

/** The amounts of a request. Throws INVALID_REQUEST for a duration that is none. */
export function readAmounts({ wall, ...amounts }: BudgetRaise, field: string): ModelBudget {
  const wallMs = wall === undefined ? undefined : durationMs(wall)
  if (wall !== undefined && (wallMs === undefined || wallMs <= 0)) {
    throw refusal(`${field}.wall`, wall, 'must be a duration of more than 0')
  }
  return { ...modelBudget(amounts), ...(wallMs === undefined ? {} : { wallMs }) }
}

function refusal(field: string, given: unknown, reason: string): GatewayError {
  return new GatewayError('INVALID_REQUEST', `${field} ${JSON.stringify(given)} ${reason}.`, {
    details: { field, reason },
  })
}
