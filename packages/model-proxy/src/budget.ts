import type { ModelBudget, ModelUsageTotals } from '@opencode-gateway/contracts'
import { sumOfTokens } from './totals.ts'

export interface Spending {
  /** Whose budget it is, in words. */
  of: string
  budget: ModelBudget
  spent: ModelUsageTotals
  /** Calls that were begun: those that were answered, and others. */
  begun: number
}

/**
 * Why no further call may be made; undefined when one may. A limit that cannot be watched, since a price or a count of
 * tokens is not known, is taken for reached. Calls under way have not been counted: what they use comes on top.
 */
export function overBudget(
  { of, budget, spent, begun }: Spending,
  call: { model: string; priced: boolean },
): string | undefined {
  const { calls, tokens, costUsd } = budget
  if (calls !== undefined && begun >= calls) return `The budget of ${of} is ${calls} calls of models, all made.`
  const used = sumOfTokens(spent)
  if (tokens !== undefined && used >= tokens) return `The budget of ${of} is ${tokens} tokens; ${used} are used.`
  if (tokens !== undefined && spent.uncounted > 0) {
    return `The budget of ${of} is ${tokens} tokens, and a provider does not say how many were used.`
  }
  if (costUsd === undefined) return undefined
  if (spent.costUsd >= costUsd) return `The budget of ${of} is ${costUsd} USD; ${spent.costUsd.toFixed(6)} are spent.`
  if (!call.priced) return `The budget of ${of} is ${costUsd} USD, and the price of "${call.model}" is not known.`
  if (spent.uncounted > 0) {
    return `The budget of ${of} is ${costUsd} USD, and a provider does not say how many tokens were used.`
  }
  return undefined
}
