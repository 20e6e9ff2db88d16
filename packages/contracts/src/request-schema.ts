import { Type, type TSchema } from 'typebox'

/** What a client sends: a field that is not named is an error. */
export const request = <P extends Record<string, TSchema>>(id: string, properties: P, description: string) =>
  Type.Object(properties, { $id: id, description, additionalProperties: false })
