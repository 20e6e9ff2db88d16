import { isAddress, isAddressPublic, isNeverMeant } from '@opencode-gateway/addresses'
import { parseHostRules, type HostRule } from '@opencode-gateway/egress-proxy'
import type { Parsed, Parser } from './parsers.ts'

const accept = <T>(value: T): Parsed<T> => ({ ok: true, value })
const refuse = (expected: string): { ok: false; expected: string } => ({ ok: false, expected })

export type DaemonAddress = { socketPath: string } | { host: string; port: number }

export const daemonAddress: Parser<DaemonAddress> = (input) => {
  const socket = /^unix:\/\/(\/\S+)$/.exec(input)?.[1]
  if (socket !== undefined) return accept({ socketPath: socket })
  const [, host = '', port = ''] = /^(?:tcp|http):\/\/([\w.-]+|\[[\da-f:]+\]):(\d{1,5})\/?$/i.exec(input) ?? []
  if (host !== '' && Number(port) <= 65_535) return accept({ host, port: Number(port) })
  return refuse('unix:///path/to/socket or tcp://host:port')
}

/** A reference: name, tag, digest; or the id of an image. */
export const imageReference: Parser<string> = (input) =>
  /^[a-z0-9][\w./:@-]{0,511}$/i.test(input)
    ? accept(input)
    : refuse('an image: "name:tag", "name@sha256:…" or "sha256:…"')

export const networkName: Parser<string> = (input) =>
  /^[a-z0-9][\w.-]{0,127}$/i.test(input) && input !== 'host'
    ? accept(input)
    : refuse('the name of a network; "host" would open every port of this machine to agents')

/** Hosts that have public addresses alone. */
export const egressHosts: Parser<readonly HostRule[]> = (input) =>
  hostRules(input, ({ host }) =>
    isAddress(host) && !isAddressPublic(host) ? 'it is not public, which DOCKER_EGRESS_PRIVATE is for' : undefined,
  )

/** Hosts that are meant whatever address they have. */
export const privateEgressHosts: Parser<readonly HostRule[]> = (input) =>
  hostRules(input, ({ host }) => {
    if (host === '') return 'it would open every address of this network'
    return isAddress(host) && isNeverMeant(host) ? 'no container may connect to it' : undefined
  })

function hostRules(input: string, objection: (rule: HostRule) => string | undefined): Parsed<readonly HostRule[]> {
  const parsed = parseHostRules(input)
  const problem = (entry: string, why: string) =>
    refuse(`hosts with commas between, "host", "host:port" or "*.domain"; of ${JSON.stringify(entry)}: ${why}`)
  if (parsed.status === 'refused') return problem(parsed.entry, parsed.why)
  for (const rule of parsed.rules) {
    const why = objection(rule)
    if (why !== undefined) return problem(rule.text, why)
  }
  return accept(parsed.rules)
}

export const runtimeName: Parser<string> = (input) =>
  /^[a-z0-9][\w.-]{0,127}$/i.test(input) ? accept(input) : refuse('the name of a runtime of the daemon')

export const containerUser: Parser<{ uid: number; gid: number }> = (input) => {
  const [, uid = '', gid = uid] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(input) ?? []
  return Number(uid) > 0 && Number(gid) > 0
    ? accept({ uid: Number(uid), gid: Number(gid) })
    : refuse('a uid, or uid:gid, of numbers; never 0, which is root')
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** Bytes, or a number with `k`, `m`, `g` or `t`. */
export function size(minimum: number, maximum: number): Parser<number> {
  return (input) => {
    const [, number, unit = ''] = /^(\d{1,15})([kmgt]?)$/i.exec(input) ?? []
    const bytes = Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN)
    return bytes >= minimum && bytes <= maximum
      ? accept(bytes)
      : refuse(`bytes, or a number with k, m, g or t, from ${minimum / 1024 ** 2}m to ${maximum / 1024 ** 4}t`)
  }
}

export const cpus: Parser<number> = (input) =>
  /^\d{1,4}(\.\d{1,3})?$/.test(input) && Number(input) >= 0.1 && Number(input) <= 1024
    ? accept(Number(input))
    : refuse('a number from 0.1 to 1024')
