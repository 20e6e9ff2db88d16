import AjvCompiler from '@fastify/ajv-compiler'
import type { FastifySchemaCompiler } from 'fastify'

/** ajv-formats takes `urn:uuid:…` as well, which would be another id for the same session. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Nothing is dropped silently: an unknown field is an error, and so is a body's number in quotes. */
const strict = {
  removeAdditional: false,
  coerceTypes: false,
  useDefaults: true,
  allErrors: true,
  verbose: true,
} as const
/** What comes in a URL is text, whatever it stands for. */
const fromText = { ...strict, coerceTypes: true } as const

/** Makes validators: strict ones for bodies, and those for the URL, which turn text into numbers and booleans. */
export function validatorCompiler(sharedSchemas: readonly Record<string, unknown>[]): FastifySchemaCompiler<object> {
  const external = Object.fromEntries(sharedSchemas.map((schema) => [String(schema.$id), schema]))
  const pool = AjvCompiler()
  const build = (customOptions: typeof strict | typeof fromText) =>
    pool(external, { customOptions, onCreate: (ajv) => ajv.addFormat('uuid', UUID) })
  const body = build(strict)
  const text = build(fromText)
  return ({ schema, httpPart }) => (httpPart === 'body' ? body : text)({ schema })
}
