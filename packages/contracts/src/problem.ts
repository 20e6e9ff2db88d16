import { Type, type Static } from 'typebox'
import { errorCodes } from './errors.ts'
import { Timestamp } from './values.ts'

export const FieldProblemSchema = Type.Object(
  { field: Type.String({ examples: ['prompt'] }), reason: Type.String({ examples: ['is required'] }) },
  { $id: 'FieldProblem' },
)

export const Problem = Type.Object(
  {
    type: Type.String({ examples: ['about:blank'] }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.Enum([...errorCodes]),
    error: Type.String({ description: 'The same text as `detail`.' }),
    details: Type.Optional(Type.Union([FieldProblemSchema, Type.Array(FieldProblemSchema)])),
    request_id: Type.String(),
    timestamp: Timestamp,
    retryable: Type.Boolean(),
  },
  { $id: 'Problem', description: 'RFC 9457 problem. Switch on `code`.' },
)
export type Problem = Static<typeof Problem>
