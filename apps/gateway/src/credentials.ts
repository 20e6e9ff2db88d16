import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { digestOf, type ApiKey } from './config/api-keys.ts'

/** The key a request presents, in whichever of the three forms; undefined when none is well formed. */
export function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const { authorization, 'x-api-key': plain } = headers
  const scheme = /^(?:bearer|api-key) +(\S+) *$/i.exec(authorization ?? '')
  return scheme?.[1] ?? (typeof plain === 'string' && plain !== '' ? plain : undefined)
}

/** Compares with every key, so that the time tells nothing of which one matched or how much of it. */
export function findKey(keys: readonly ApiKey[], presented: string): ApiKey | undefined {
  const digest = digestOf(presented)
  return keys.filter((key) => timingSafeEqual(key.digest, digest))[0]
}
