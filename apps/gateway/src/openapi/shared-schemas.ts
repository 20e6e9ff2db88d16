import * as contracts from '@opencode-gateway/contracts'
import { Type, type Static, type TSchema, type TUnsafe } from 'typebox'

/** JSON Schema as plain data. */
export type JsonSchema = Record<string, unknown>

/** A reference to a schema that has a name, with the type of what it stands for. */
export function ref<T extends TSchema>(schema: T): TUnsafe<Static<T>> {
  const id = nameOf(schema)
  if (id === undefined) throw new Error('only a schema with an $id can be referred to')
  return Type.Unsafe<Static<T>>({ $ref: `${id}#` })
}

/** Every named schema of the contracts, once, with references in place of the named schemas in it. */
export function sharedSchemas(): JsonSchema[] {
  const found = new Map<string, JsonSchema>()
  for (const exported of Object.values<unknown>(contracts)) collect(exported, found)
  return [...found.values()]
}

function collect(value: unknown, found: Map<string, JsonSchema>): unknown {
  if (Array.isArray(value)) return value.map((item) => collect(item, found))
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, collect(member, found)]))
  const id = nameOf(value)
  if (id === undefined) return copy
  if (!found.has(id)) found.set(id, copy)
  return { $ref: `${id}#` }
}

function nameOf(value: object): string | undefined {
  return '$id' in value && typeof value.$id === 'string' ? value.$id : undefined
}
