import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { digestOf, type ApiKey } from '../config/api-keys.ts'
import { headerValues } from './header-values.ts'

/** The key a request presents, in whichever of the three forms; undefined when none is well formed, or two differ. */
export function presentedKey(request: Pick<IncomingMessage, 'rawHeaders'>): string | undefined {
  const [authorization, plain] = [headerValues(request, 'authorization'), headerValues(request, 'x-api-key')]
  // Who stands before the gateway may have read the other one.
  if (authorization.length > 1 || plain.length > 1) return undefined
  const scheme = /^(?:bearer|api-key) +(\S+) *$/i.exec(authorization[0] ?? '')
  const presented = new Set([scheme?.[1], plain[0]].filter((key) => key !== undefined && key !== ''))
  return presented.size === 1 ? [...presented][0] : undefined
}

/** Compares with every key, so that the time tells nothing of which one matched or how much of it. */
export function findKey(keys: readonly ApiKey[], presented: string): ApiKey | undefined {
  const digest = digestOf(presented)
  return keys.filter((key) => timingSafeEqual(key.digest, digest))[0]
}
