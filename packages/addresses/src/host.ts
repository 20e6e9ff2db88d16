import { isIPv4, isIPv6 } from 'node:net'
import { isAddress } from './public-address.ts'

/** A host in lower case, an IPv6 address without its brackets; or why it is none. */
export type ReadHost =
  | { status: 'host'; host: string }
  | { status: 'refused'; why: 'not a host' | 'not in ASCII' | 'not in decimal' }

const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/

/** One spelling per host: what another reader could take for another address is refused, not rewritten. */
export function readHost(text: string): ReadHost {
  const host = text.toLowerCase()
  if (host.startsWith('[')) {
    const address = host.slice(1, -1)
    return host.endsWith(']') && isIPv6(address) && !address.includes('%')
      ? { status: 'host', host: address }
      : { status: 'refused', why: 'not a host' }
  }
  if (isIPv4(host)) return { status: 'host', host }
  if (/[^\u0020-\u007e]/.test(host)) return { status: 'refused', why: 'not in ASCII' }
  if (!NAME.test(host)) return { status: 'refused', why: 'not a host' }
  if (/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host)) return { status: 'refused', why: 'not in decimal' }
  return { status: 'host', host }
}

/** Whether a name means something only in the network that one is in. */
export function isLocalName(host: string): boolean {
  return (
    !isAddress(host) &&
    (!host.includes('.') || /\.(?:localhost|local|internal|intranet|lan|home|corp|arpa)$/.test(host))
  )
}
