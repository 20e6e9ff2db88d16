import { createHash } from 'node:crypto'
import { keyLimitsExpected, readKeyLimits, type KeyLimits } from './key-limits.ts'

/**
 * `files:secrets`: files of a workspace that look like secrets. `providers:write`: provider configurations.
 * `budgets:write`: raising what keys may use, and what may be used on a day.
 */
export const scopes = ['read', 'write', 'files:secrets', 'providers:write', 'budgets:write'] as const
export type Scope = (typeof scopes)[number]

/** What a key may do that says nothing of it. */
const usualScopes = ['read', 'write'] as const satisfies readonly Scope[]
/** What the one key may do where there is one, and everybody where no key is asked for. */
export const ownerScopes = [...usualScopes, 'providers:write', 'budgets:write'] as const satisfies readonly Scope[]

/** A key the gateway knows, without the key itself. */
export interface ApiKey {
  id: string
  tenant: string
  /** SHA-256 of the key. */
  digest: Buffer
  scopes: readonly Scope[]
  limits: KeyLimits
}

export const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()

/** The one key of API_KEY. Its tenant is the one of a gateway without keys, so that adding a key loses no session. */
export function singleKey(key: string): ApiKey {
  return { id: 'default', tenant: 'default', digest: digestOf(key), scopes: ownerScopes, limits: {} }
}

/** The keys of an API_KEYS_FILE, or what is wrong with it. */
export function readKeysFile(content: string): { keys: ApiKey[] } | { expected: string } {
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch {
    return { expected: 'a file with JSON' }
  }
  const entries: unknown = isRecord(parsed) ? parsed.keys : parsed
  if (!Array.isArray(entries) || entries.length === 0) return { expected: 'a list of keys, or {"keys": […]}' }
  const keys: ApiKey[] = []
  for (const [index, entry] of entries.entries()) {
    const key = readKey(entry)
    if (typeof key === 'string') return { expected: `key ${index + 1}: ${key}` }
    if (keys.some(({ id }) => id === key.id)) return { expected: `key ${index + 1}: an id no other key has` }
    keys.push(key)
  }
  return { keys }
}

function readKey(entry: unknown): ApiKey | string {
  if (!isRecord(entry)) return 'an object'
  const { id, hash, tenant = id, scopes: granted = usualScopes, limits: given = {}, ...rest } = entry
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) return `no member "${unknown}"`
  if (!isName(id)) return '"id" of 1 to 64 letters, digits, dots, dashes or underscores'
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/i.test(hash))
    return '"hash" of 64 hexadecimal digits: the SHA-256 of the key'
  if (!isName(tenant)) return '"tenant" of 1 to 64 letters, digits, dots, dashes or underscores'
  if (!isScopes(granted)) return `"scopes" out of ${scopes.join(', ')}`
  const limits = readKeyLimits(given)
  if (!limits) return keyLimitsExpected
  return { id, tenant, digest: Buffer.from(hash, 'hex'), scopes: granted, limits }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isName = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(value)

const isScopes = (value: unknown): value is Scope[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => scopes.some((scope) => scope === item))
