import { Type, type Static } from 'typebox'
import type { ModelBudget } from './model-budget.ts'
import { budgetOwners } from './shared-budget.ts'
import { Duration } from './values.ts'

const calls = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Calls of models.' }))
const tokens = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000_000 }))
const costUsd = Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }))

/** What becomes of a run at a limit of its budget. */
const limitPolicies = ['end', 'ask'] as const

/** What the models of a run may be used for; a request only lowers what the gateway allows. */
export const Budget = Type.Object(
  {
    calls,
    tokens,
    cost_usd: costUsd,
    wall: Type.Optional(Duration),
    on_limit: Type.Optional(
      Type.Enum([...limitPolicies], {
        description:
          '`end` ends the run; with `ask` its calls wait until the ask is answered. BUDGET_ASK says what may be asked for.',
      }),
    ),
  },
  {
    $id: 'Budget',
    additionalProperties: false,
    minProperties: 1,
    description: 'Limits of a run, looked at before each call of a model; `wall` is the time that it works.',
  },
)
export type Budget = Static<typeof Budget>

/** What is added to a budget. */
export const BudgetRaise = Type.Object(
  { calls, tokens, cost_usd: costUsd, wall: Type.Optional(Duration) },
  {
    $id: 'BudgetRaise',
    additionalProperties: false,
    minProperties: 1,
    description: 'What is added to the budget; the limit that was reached must be among it.',
  },
)
export type BudgetRaise = Static<typeof BudgetRaise>

/** A budget as events tell it. */
export const BudgetLimits = Type.Object(
  {
    calls: Type.Optional(Type.Integer()),
    tokens: Type.Optional(Type.Integer()),
    cost_usd: Type.Optional(Type.Number()),
    wall: Type.Optional(Type.Number({ description: 'Seconds.' })),
  },
  { $id: 'BudgetLimits', description: 'What is absent has no limit.' },
)
export type BudgetLimits = Static<typeof BudgetLimits>

/** Whose budget a run has come to the end of. */
export const BudgetOwnerName = Type.Enum([...budgetOwners], {
  description: 'Of the run, its session, the API key that ordered it, that key for a day, or its tenant for a `day`.',
})

export const BudgetReached = Type.Object(
  {
    of: BudgetOwnerName,
    day: Type.Optional(Type.String({ examples: ['2026-11-21'], description: 'The day (UTC) that it is for.' })),
    limit: Type.Enum(['calls', 'tokens', 'cost_usd', 'wall']),
    used: Type.Number({ description: 'Of that; for `wall` in seconds.' }),
    budget: BudgetLimits,
    at_most: Type.Object(BudgetLimits.properties, { description: 'What it can be raised to.' }),
    scope: Type.Optional(Type.String({ description: 'The scope that an API key needs to raise it.' })),
    message: Type.String(),
  },
  { $id: 'BudgetReached', description: 'Which limit a run has come to.' },
)
export type BudgetReached = Static<typeof BudgetReached>

/** Its name in requests and events. */
export const limitNames = { calls: 'calls', tokens: 'tokens', costUsd: 'cost_usd', wallMs: 'wall' } as const satisfies {
  [L in keyof Required<ModelBudget>]: keyof BudgetLimits
}

export function budgetLimits({ calls, tokens, costUsd, wallMs }: ModelBudget): BudgetLimits {
  return {
    ...(calls === undefined ? {} : { calls }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
    ...(wallMs === undefined ? {} : { wall: wallMs / 1000 }),
  }
}

export function modelBudget({ calls, tokens, cost_usd: costUsd, wall }: BudgetLimits): ModelBudget {
  return {
    ...(calls === undefined ? {} : { calls }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(costUsd === undefined ? {} : { costUsd }),
    ...(wall === undefined ? {} : { wallMs: Math.round(wall * 1000) }),
  }
}
