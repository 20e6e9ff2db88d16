import type { BudgetOwner, ModelBudget, ReachedLimit } from '@opencode-gateway/contracts'
import type { Account } from './account.ts'
import { sumOfTokens } from './totals.ts'

export interface Spending {
  owner: BudgetOwner
  /** The day it is for; undefined for one without an end. */
  day?: string | undefined
  /** Whose budget it is, in words. */
  of: string
  budget: ModelBudget
  account: Account
}

/** Why no further call may be made. */
export interface OverBudget {
  why: string
  /** What was reached; absent where a limit cannot be watched, so that no other one would help. */
  limit?: ReachedLimit['limit']
  used?: number
}

/**
 * Undefined when one more call may be made. A limit that cannot be watched, since a price or a count of tokens is not
 * known, is taken for reached. Calls under way have not been counted: what they use comes on top.
 */
export function overBudget(
  { of, budget, account }: Pick<Spending, 'of' | 'budget' | 'account'>,
  call: { model: string; priced: boolean },
): OverBudget | undefined {
  const { calls, tokens, costUsd, wallMs } = budget
  const spent = account.spent()
  const begun = account.begun()
  const used = sumOfTokens(spent)
  const about = `The budget of ${of} is`
  if (calls !== undefined && begun >= calls) {
    const made = calls === 1 ? '1 call of models, already made' : `${calls} calls of models, all made`
    return { why: `${about} ${made}.`, limit: 'calls', used: begun }
  }
  if (wallMs !== undefined && spent.wallMs >= wallMs) {
    const seconds = `${about} ${wallMs / 1000} s of work; ${Math.floor(spent.wallMs / 1000)} s are over.`
    return { why: seconds, limit: 'wallMs', used: spent.wallMs }
  }
  if (tokens !== undefined && used >= tokens) {
    return { why: `${about} ${tokens} tokens; ${used} are used.`, limit: 'tokens', used }
  }
  if (tokens !== undefined && spent.uncounted > 0) {
    return { why: `${about} ${tokens} tokens, and a provider does not say how many were used.` }
  }
  if (costUsd === undefined) return undefined
  if (spent.costUsd >= costUsd) {
    const why = `${about} ${costUsd} USD; ${spent.costUsd.toFixed(6)} are spent.`
    return { why, limit: 'costUsd', used: spent.costUsd }
  }
  if (!call.priced) return { why: `${about} ${costUsd} USD, and the price of "${call.model}" is not known.` }
  if (spent.uncounted > 0) {
    return { why: `${about} ${costUsd} USD, and a provider does not say how many tokens were used.` }
  }
  return undefined
}
