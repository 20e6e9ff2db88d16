import { errorTable, Problem, RunProblem, type ErrorCode } from '@opencode-gateway/contracts'
import { Type, type TSchema, type TUnsafe } from 'typebox'
import { ref } from './shared-schemas.ts'

interface ProblemResponse {
  description: string
  content: { 'application/problem+json': { schema: TUnsafe<unknown> } }
}

/** Errors every route that needs a key can answer with. */
const EVERYWHERE = ['UNAUTHORIZED', 'FORBIDDEN', 'RATE_LIMITED', 'INTERNAL', 'STORE_UNAVAILABLE'] as const

/** The problem responses of a route, by status: the codes named and those every route has. */
export function problems(...codes: ErrorCode[]): Record<number, ProblemResponse> {
  return problemsAs(ref(Problem), codes)
}

/** `problems` of a route that waits for a run: a run that did not complete says more. */
export function runProblems(...codes: ErrorCode[]): Record<number, ProblemResponse> {
  return problemsAs(Type.Unsafe({ anyOf: [ref(Problem), ref(RunProblem)] }), codes)
}

function problemsAs(schema: TUnsafe<unknown>, codes: readonly ErrorCode[]): Record<number, ProblemResponse> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set<ErrorCode>([...codes, ...EVERYWHERE])) {
    const { status } = errorTable[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}.`).join(' '),
        content: { 'application/problem+json': { schema } },
      },
    ]),
  )
}

/** The body of an event stream, which OpenAPI 3.1 can only call text. */
export const eventStream = {
  schema: Type.String({
    description:
      'Frames of `id`, `event` and `data`; `event` is one of the types, `data` its JSON with `run_id` and `timestamp`. The first frame is a `status` without id, heartbeats have none either.',
  }),
}

/** A JSON response with a description. */
export function json<T extends TSchema>(
  schema: T,
  description: string,
): { description: string; content: { 'application/json': { schema: T } } } {
  return { description, content: { 'application/json': { schema } } }
}

/** A response that is a file. */
export function binary(
  description: string,
  type = 'application/octet-stream',
): { description: string; content: Record<string, { schema: TSchema }> } {
  return { description, content: { [type]: { schema: Type.Unsafe({ type: 'string', format: 'binary' }) } } }
}
