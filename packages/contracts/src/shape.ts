import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** What is wrong with a value, for people; undefined when it has the shape of the schema. Conformance suites use it. */
export function shapeProblem(schema: TSchema, value: unknown): string | undefined {
  const problem = Value.Errors(schema, value)[0]
  return problem && `${problem.instancePath || 'the value'} ${problem.message}`
}
