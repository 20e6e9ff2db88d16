import { GatewayError, type Budget, type ModelBudget } from '@opencode-gateway/contracts'

/** What a run may use of models: what its request says, within what the gateway allows. Throws INVALID_REQUEST. */
export function budgetOrder(asked: Budget | undefined, allowed: ModelBudget): ModelBudget {
  const { calls, tokens, cost_usd: costUsd } = asked ?? {}
  const pairs = [
    ['calls', calls, allowed.calls],
    ['tokens', tokens, allowed.tokens],
    ['cost_usd', costUsd, allowed.costUsd],
  ] as const
  for (const [name, wanted, most] of pairs) {
    if (wanted === undefined || most === undefined || wanted <= most) continue
    const reason = `must be at most ${most} (RUN_BUDGET)`
    throw new GatewayError('INVALID_REQUEST', `budget.${name} ${wanted} ${reason}.`, {
      details: { field: `budget.${name}`, reason },
    })
  }
  return {
    ...allowed,
    ...(calls === undefined ? {} : { calls }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(costUsd === undefined ? {} : { costUsd }),
  }
}
