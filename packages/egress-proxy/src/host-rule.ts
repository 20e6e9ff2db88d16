import { isAddress, readHost } from '@opencode-gateway/addresses'
import { SocketAddress, isIPv6 } from 'node:net'

/** Hosts that one entry of a setting names. */
export interface HostRule {
  /** As it was written. */
  text: string
  /** Empty for every host. */
  host: string
  /** It is what is below the name, and not the name itself. */
  below: boolean
  /** 80 and 443 unless given. */
  port: number | undefined
}

export type ParsedHostRules =
  | { status: 'rules'; rules: readonly HostRule[] }
  | { status: 'refused'; entry: string; why: string }

const USUAL_PORTS: ReadonlySet<number> = new Set([80, 443])
const FORM = /^(?<host>\[[^\]]*\]|[^:[\]]*)(?::(?<port>\d{1,5}))?$/
const WHY = {
  'not a host':
    'it is no host; write "host", "host:port", "*.domain", "[IPv6 address]" or "*", without a scheme or a path',
  'not in ASCII': 'the name has to be in ASCII (xn--…)',
  'not in decimal': 'an address has to be four decimal numbers',
} as const

/** Reads "host", "host:port", "*.domain", "*.domain:port", "*" and "*:port" with commas between. */
export function parseHostRules(text: string): ParsedHostRules {
  const rules: HostRule[] = []
  for (const entry of text.split(',').map((part) => part.trim())) {
    const refuse = (why: string): ParsedHostRules => ({ status: 'refused', entry, why })
    if (entry === '') return refuse('it is empty')
    const { host: named = '', port } = FORM.exec(entry)?.groups ?? {}
    if (port !== undefined && !(Number(port) > 0 && Number(port) <= 65_535)) return refuse('its port is none')
    const below = named === '*' || named.startsWith('*.')
    const rest = below ? named.slice(2) : named
    const rule = { text: entry, below, port: port === undefined ? undefined : Number(port) }
    if (named === '*') {
      rules.push({ ...rule, host: '' })
      continue
    }
    const read = readHost(rest)
    if (read.status === 'refused') return refuse(WHY[read.why])
    if (below && isAddress(read.host)) return refuse('nothing is below an address')
    rules.push({ ...rule, host: canonical(read.host) })
  }
  return { status: 'rules', rules }
}

/** One spelling per address. */
export function canonical(host: string): string {
  return isIPv6(host) ? new SocketAddress({ address: host, family: 'ipv6' }).address : host
}

/** Whether whatever fits the rule fits these, too. */
export function covers(rules: readonly HostRule[], { host, below, port }: HostRule): boolean {
  const isHost = (one: HostRule): boolean =>
    one.below
      ? one.host === '' || (below && one.host === host) || host.endsWith(`.${one.host}`)
      : !below && one.host === host
  const ports = port === undefined ? [...USUAL_PORTS] : [port]
  return ports.every((wanted) =>
    rules.some((one) => isHost(one) && (one.port === undefined ? USUAL_PORTS.has(wanted) : one.port === wanted)),
  )
}

export function fits({ host, port }: { host: string; port: number }, rule: HostRule): boolean {
  if (rule.port === undefined ? !USUAL_PORTS.has(port) : rule.port !== port) return false
  if (!rule.below) return host === rule.host
  return rule.host === '' || host.endsWith(`.${rule.host}`)
}
