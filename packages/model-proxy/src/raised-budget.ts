import { budgetKinds, type ModelBudget, type RaisedLimit, type SharedBudget } from '@opencode-gateway/contracts'

export interface RaisedBudgetOptions extends Pick<RaisedLimit, 'owner' | 'id' | 'day'> {
  /** What the operator has set. */
  configured: ModelBudget
  /** What is stored of raises; it may be of another day, or of another setting. */
  stored: readonly RaisedLimit[]
  onRaised(): void
}

/** A budget that runs share, and how far it has been raised. */
export function createRaisedBudget({
  owner,
  id,
  day,
  configured,
  stored,
  onRaised,
}: RaisedBudgetOptions): SharedBudget {
  const added = new Map<keyof ModelBudget, number>()
  for (const { limit, more, ...row } of stored) {
    if (row.day === day && row.configured === configured[limit]) added.set(limit, more)
  }
  return {
    budget() {
      const raised = [...added].map(([limit, more]) => [limit, (configured[limit] ?? 0) + more])
      return { ...configured, ...Object.fromEntries(raised) }
    },
    toStore: (raise) =>
      budgetKinds.flatMap((limit) => {
        const [from, more] = [configured[limit], raise[limit]]
        return from === undefined || more === undefined ? [] : [{ owner, id, day, limit, configured: from, more }]
      }),
    raise(more) {
      for (const limit of budgetKinds) {
        if (configured[limit] === undefined || more[limit] === undefined) continue
        added.set(limit, (added.get(limit) ?? 0) + more[limit])
      }
      onRaised()
    },
  }
}
