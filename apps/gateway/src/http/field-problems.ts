import type { FieldProblem } from '@opencode-gateway/contracts'

/** What ajv says of one keyword that failed. */
export interface SchemaError {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
  message?: string
  /** The schema the keyword stands in. */
  parentSchema?: { examples?: unknown }
}

const NOT_BLANK = 'must not be blank'

/** Problems that one answer names; a client corrects these and sees the rest. */
const MAX_PROBLEMS = 20

/**
 * One problem per field, in the order of discovery. `place` is the part of the request, which also stands for a request
 * part that is wrong as a whole.
 */
export function fieldProblems(errors: readonly SchemaError[], place: string): FieldProblem[] {
  const problems = new Map<string, string[]>()
  for (const error of errors) {
    const field = fieldOf(error, place)
    const reasons = problems.get(field) ?? []
    const reason = reasonOf(error)
    if (reason !== undefined && !reasons.includes(reason)) problems.set(field, [...reasons, reason])
  }
  if (problems.size === 0) return [{ field: place, reason: 'is not valid' }]
  return [...problems].slice(0, MAX_PROBLEMS).map(([field, reasons]) => ({ field, reason: reasons.join(' or ') }))
}

function fieldOf({ keyword, instancePath, params }: SchemaError, place: string): string {
  const path = instancePath.split('/').slice(1).map(unescapePointer)
  if (keyword === 'required') path.push(String(params.missingProperty))
  if (keyword === 'additionalProperties') path.push(String(params.additionalProperty))
  return path.length === 0 ? place : path.join('.')
}

/** Undefined for an error that only sums up others, which name the field better. */
function reasonOf({ keyword, instancePath, params, message, parentSchema }: SchemaError): string | undefined {
  switch (keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not a known field'
    case 'anyOf':
    case 'oneOf':
      return undefined
    case 'type':
      return instancePath === '' && params.type === 'object'
        ? 'must be a JSON object, sent as application/json'
        : message
    case 'enum':
      return `must be one of ${list(params.allowedValues)}`
    case 'minLength':
      return params.limit === 1 ? NOT_BLANK : `must have at least ${String(params.limit)} characters`
    case 'maxLength':
      return `must have at most ${String(params.limit)} characters`
    case 'pattern':
      return params.pattern === '\\S' ? NOT_BLANK : patternOf(params.pattern, parentSchema)
    case 'format':
      return `must be a ${String(params.format)}`
    default:
      return message ?? 'is not valid'
  }
}

/** Examples say more than an expression. */
function patternOf(pattern: unknown, schema: SchemaError['parentSchema']): string {
  const examples = Array.isArray(schema?.examples) ? schema.examples.map((example) => JSON.stringify(example)) : []
  return examples.length === 0 ? `must match ${String(pattern)}` : `must be like ${examples.join(', ')}`
}

const list = (values: unknown): string => (Array.isArray(values) ? values.map(String).join(', ') : String(values))

const unescapePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')
