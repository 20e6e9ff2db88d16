import AjvCompiler from '@fastify/ajv-compiler'
import type { FastifySchemaCompiler } from 'fastify'
import { textReader } from './from-text.ts'

/** ajv-formats takes `urn:uuid:…` as well, which would be another id for the same session. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Nothing is dropped silently: an unknown field is an error, and so is a body's number in quotes. */
const strict = {
  removeAdditional: false,
  coerceTypes: false,
  useDefaults: true,
  allErrors: true,
  verbose: true,
  // They are made by typebox; the code that would check them is larger than that of most.
  validateSchema: false,
} as const

type Validate = ReturnType<ReturnType<ReturnType<typeof AjvCompiler>>>

/** Compiles schemas, which may refer to the shared ones by their names. */
export function schemaCompiler(
  external: Readonly<Record<string, Record<string, unknown>>>,
): (schema: object) => Validate {
  const compile = AjvCompiler()(external, {
    customOptions: strict,
    onCreate: (ajv) => ajv.addFormat('uuid', UUID),
  })
  return (schema) => compile({ schema })
}

/**
 * Makes validators. Of what comes in a URL, which is text whatever it stands for, numbers and booleans are read first.
 * Each is compiled by the first request it is for: all of them together take a third of the start.
 */
export function validatorCompiler(
  sharedSchemas: () => readonly Record<string, unknown>[],
): FastifySchemaCompiler<object> {
  const shared = once(() => {
    const external = Object.fromEntries(sharedSchemas().map((schema) => [String(schema.$id), schema]))
    return { external, compile: schemaCompiler(external) }
  })
  return ({ schema, httpPart }) => {
    const own = once(() => {
      const { external, compile } = shared()
      return { read: httpPart === 'body' ? () => {} : textReader(schema, external), validate: compile(schema) }
    })
    return (values: Record<string, unknown>) => {
      const { read, validate } = own()
      read(values)
      return validate(values) === true ? { value: values } : { error: [...(validate.errors ?? [])] }
    }
  }
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
