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
} as const

/** Makes validators. Of what comes in a URL, which is text whatever it stands for, numbers and booleans are read first. */
export function validatorCompiler(sharedSchemas: readonly Record<string, unknown>[]): FastifySchemaCompiler<object> {
  const external = Object.fromEntries(sharedSchemas.map((schema) => [String(schema.$id), schema]))
  const compile = AjvCompiler()(external, {
    customOptions: strict,
    onCreate: (ajv) => ajv.addFormat('uuid', UUID),
  })
  return ({ schema, httpPart }) => {
    const validate = compile({ schema })
    if (httpPart === 'body') return validate
    const read = textReader(schema, external)
    return (values: Record<string, unknown>) => {
      read(values)
      return validate(values) === true ? { value: values } : { error: [...(validate.errors ?? [])] }
    }
  }
}
