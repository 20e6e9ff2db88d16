/** What a run, a session, a key, or a tenant or key on a day (UTC) may use. What is absent has no limit. */
export interface ModelBudget {
  /** Calls that were begun. */
  calls?: number
  /** Input and output of all kinds. */
  tokens?: number
  costUsd?: number
  /** How long runs work. */
  wallMs?: number
}

/** What a budget can limit. */
export const budgetKinds = ['calls', 'tokens', 'costUsd', 'wallMs'] as const satisfies readonly (keyof ModelBudget)[]
