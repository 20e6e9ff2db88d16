import { Resolver, lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { isAddress, isAddressPublic, isNeverMeant } from '@opencode-gateway/addresses'
import type { Trust } from './policy.ts'
import { Refusal, refuseHost } from './refusal.ts'
import type { Target } from './target.ts'

/** All addresses of a name, in the order in which they are to be tried; rejects when it has none. */
export type Resolve = (host: string, trust: Trust, signal: AbortSignal) => Promise<readonly string[]>

const MAX_ADDRESSES = 8

/**
 * A name that anybody may have chosen is asked of DNS alone, without a thread of this process: a name server that does
 * not answer must not hold up those who look up a provider of models. One that the operator listed may be in the
 * hosts file.
 */
export const resolveName: Resolve = async (host, trust, signal) => {
  if (trust === 'any') return (await lookup(host, { all: true })).map(({ address }) => address)
  const resolver = new Resolver({ timeout: 2_000, tries: 3 })
  const cancel = (): void => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    const found = [four, six].flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    if (found.length === 0 && four.status === 'rejected') throw four.reason
    return found
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** The addresses that may be connected to, asked for once. Throws `Refusal` when one of them may not. */
export async function addressesOf(
  target: Target,
  trust: Trust,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { host } = target
  const found = isAddress(host) ? [host] : await resolve(host, trust, signal).catch((error: unknown) => notFound(error))
  if (found.length === 0) notFound(undefined)
  if (found.some(isNeverMeant)) throw refuseHost(target, 'has an address that no container may connect to')
  if (trust === 'public' && !areForAll(found))
    throw refuseHost(target, 'has an address that is not public, and is not in DOCKER_EGRESS_PRIVATE')
  return found.slice(0, MAX_ADDRESSES)

  function notFound(cause: unknown): never {
    signal.throwIfAborted()
    throw new Refusal(502, 'unresolved', `The host "${host}" has no address; check its name.`, { cause })
  }
}

/** What this machine has for itself is not public, however it looks: the gateway may listen there. */
function areForAll(addresses: readonly string[]): boolean {
  // Once: asking for them takes a tenth of a millisecond, and whoever chose the name chose how many it has.
  const own = new Set(Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)))
  return addresses.every((address) => isAddressPublic(address) && !own.has(address))
}
