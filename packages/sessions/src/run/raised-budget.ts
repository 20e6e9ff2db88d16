import {
  budgetKinds,
  GatewayError,
  limitNames,
  type BudgetReached,
  type ModelBudget,
} from '@opencode-gateway/contracts'

/** The budget with what is added to it. Throws INVALID_REQUEST when that does not help, or goes too far. */
export function raisedBudget(
  budget: ModelBudget,
  raise: ModelBudget,
  { reached, raisableTo }: { reached: BudgetReached['limit'] | undefined; raisableTo: ModelBudget },
): ModelBudget {
  let raised = budget
  for (const limit of budgetKinds) {
    const name = limitNames[limit]
    const [now, more, most] = [budget[limit], raise[limit], raisableTo[limit]]
    if (more === undefined) {
      if (name === reached) throw refusal(name, 'is required: this is the limit that was reached')
      continue
    }
    if (now === undefined) throw refusal(name, 'has no limit that could be raised')
    if (most !== undefined && now + more > most) {
      const room = limit === 'wallMs' ? `${(most - now) / 1000} s` : String(most - now)
      throw refusal(name, `must be at most ${room} (RUN_BUDGET_RAISE)`)
    }
    raised = { ...raised, [limit]: now + more }
  }
  return raised
}

function refusal(name: string, reason: string): GatewayError {
  const field = `raise.${name}`
  return new GatewayError('INVALID_REQUEST', `${field} ${reason}.`, { details: { field, reason } })
}
