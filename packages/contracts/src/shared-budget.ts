import type { ModelBudget } from './model-budget.ts'

/** Whose budget it is: of a key and of a key's day, and of a tenant's `day`, it is the operator's. */
export const budgetOwners = ['run', 'session', 'key', 'key_day', 'day'] as const
export type BudgetOwner = (typeof budgetOwners)[number]
/** Whose budget several runs are under. */
export type SharedOwner = Exclude<BudgetOwner, 'run'>

/** One limit of a budget that runs share has been raised: for as long as the operator leaves it as it was set. */
export interface RaisedLimit {
  owner: SharedOwner
  /** Of the session, the key or the tenant. */
  id: string
  /** "2026-11-21", UTC: the raise is for that day alone; "" for a budget without an end. */
  day: string
  limit: keyof ModelBudget
  /** What the operator had set. */
  configured: number
  /** What all raises have added to that. */
  more: number
}

/** A budget that several runs are under. */
export interface SharedBudget {
  /** As it has been raised by now. */
  budget(): ModelBudget
  /** What is to be stored of a raise. */
  toStore(more: ModelBudget): readonly RaisedLimit[]
  /** It is stored: from now on runs may use so much more, and the calls that waited for it go out. */
  raise(more: ModelBudget): void
}
