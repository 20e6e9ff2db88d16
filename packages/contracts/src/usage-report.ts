import { Type, type Static } from 'typebox'
import { usageGroups } from './model-usage.ts'
import { Usage } from './values.ts'
import { wireLimits } from './wire-limits.ts'

const Day = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', examples: ['2026-11-21'] })

export const UsageReportQuery = Type.Object(
  {
    by: Type.Optional(Type.Enum([...usageGroups], { default: 'day', description: 'What each row is of.' })),
    session_id: Type.Optional(Type.String({ format: 'uuid' })),
    run_id: Type.Optional(Type.String({ format: 'uuid' })),
    from: Type.Optional(Day),
    to: Type.Optional(Day),
    format: Type.Optional(Type.Enum(['json', 'csv'], { default: 'json' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: wireLimits.pageEvents, default: wireLimits.pageEvents })),
  },
  { $id: 'UsageReportQuery', additionalProperties: false, description: 'Which usage; days are in UTC and included.' },
)
export type UsageReportQuery = Static<typeof UsageReportQuery>

export const UsageReport = Type.Object(
  {
    by: Type.Enum([...usageGroups]),
    rows: Type.Array(
      Type.Object({
        group: Type.String({
          description: 'A run id, a session id, the id of a key (the tenant where there was none), or a day.',
        }),
        model: Type.String({ examples: ['anthropic/claude-sonnet-4-5'] }),
        calls: Type.Integer({ minimum: 0 }),
        tokens: Usage.properties.tokens,
        cost_usd: Usage.properties.cost_usd,
        unpriced_calls: Type.Integer({ minimum: 0, description: 'Calls whose cost is not known.' }),
        estimated_calls: Type.Integer({
          minimum: 0,
          description: 'Calls that were broken off: their tokens are an estimate.',
        }),
      }),
    ),
  },
  { $id: 'UsageReport', description: 'What models were used for, one row for each group and model.' },
)
export type UsageReport = Static<typeof UsageReport>
