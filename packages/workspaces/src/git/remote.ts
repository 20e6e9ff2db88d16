import { isIPv6 } from 'node:net'
import { isAddress, isAddressPublic, isLocalName, readHost } from '@opencode-gateway/addresses'
import { refused } from './refused.ts'

/** A repository's address that passed the checks that need no network. */
export interface Remote {
  scheme: 'https' | 'http' | 'ssh' | 'file'
  /** As git is given it; free of credentials. */
  url: string
  /** Lower case, an IPv6 address without brackets; empty for `file`. */
  host: string
  port: number
  /** Named by the operator, who may name private addresses. */
  trusted: boolean
  /** `/owner/name`, as it is in the URL. */
  path: string
}

export interface RemoteRules {
  allowedHosts?: readonly string[]
  allowFile?: boolean
}

const MAX_LENGTH = 2048
const DEFAULT_PORTS = { https: 443, http: 80, ssh: 22 } as const
const URL_FORM =
  /^(?<scheme>https?|ssh):\/\/(?:(?<user>[^@/]*)@)?(?<host>\[[^\]/]*\]|[^:/@[\]]*)(?::(?<port>[^/]*))?(?<path>\/.*)$/i
const SCP_FORM = /^(?<user>[^@/:]+)@(?<host>[^:/@[\]]+):(?<path>.+)$/
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/
const PATH = /^[A-Za-z0-9._~/%+@,=-]+$/

/** Throws REPOSITORY_REFUSED for an address that may not be used. Opens no connection. */
export function parseRemote(url: string, rules: RemoteRules): Remote {
  if (url === '') throw refused('repository', 'is empty')
  if (url.length > MAX_LENGTH) throw refused('repository', `is longer than ${MAX_LENGTH} characters`)
  if (url.startsWith('/') || /^file:/i.test(url)) return parseFile(url, rules)
  const asUrl = URL_FORM.exec(url)
  const parts = (asUrl ?? SCP_FORM.exec(url))?.groups
  if (parts === undefined)
    throw refused('repository', 'must be https://host/path, ssh://user@host/path or user@host:path')
  const scheme = (parts['scheme']?.toLowerCase() ?? 'ssh') as 'https' | 'http' | 'ssh'
  checkUser(scheme, parts['user'])
  checkPath(parts['path'] ?? '')
  const host = parseHost(parts['host'] ?? '')
  const port = parsePort(parts['port'], DEFAULT_PORTS[scheme])
  const trusted = isListed(rules.allowedHosts ?? [], host, port, DEFAULT_PORTS[scheme])
  if (!trusted && rules.allowedHosts !== undefined)
    throw refused('repository', `names the host "${host}", which is not in GIT_ALLOWED_HOSTS`)
  if (!trusted && scheme === 'http') throw refused('repository', 'must be fetched over https')
  if (!trusted && isAddress(host) && !isAddressPublic(host))
    throw refused('repository', 'names an address that is neither public nor in GIT_ALLOWED_HOSTS')
  if (!trusted && isLocalName(host))
    throw refused('repository', 'names a host that is neither public nor in GIT_ALLOWED_HOSTS')
  return {
    scheme,
    url: rebuild(scheme, parts, host, asUrl !== null),
    host,
    port,
    trusted,
    path: slashed(parts['path'] ?? ''),
  }
}

function checkUser(scheme: string, user: string | undefined): void {
  if (user === undefined) {
    if (scheme === 'ssh') throw refused('repository', 'needs the user, as in ssh://git@host/path')
    return
  }
  if (scheme !== 'ssh')
    throw refused('repository', 'must not have credentials in it; give them to the gateway per host')
  if (user.includes(':')) throw refused('repository', 'must not have a password in it')
  if (!USER.test(user)) throw refused('repository', 'has a user name that is not allowed')
}

function checkPath(path: string): void {
  if (!PATH.test(path)) throw refused('repository', 'has a path with characters that are not allowed')
  if (/%(?![0-9a-f]{2})|%(?:0|1|2f|2e|5c|7f)/i.test(path))
    throw refused('repository', 'has a path with an escape that is not allowed')
  const names = path.split('/')
  if (names.some((name) => name === '.' || name === '..' || name.startsWith('-'))) {
    throw refused('repository', 'has a path with "..", "." or a name that begins with "-"')
  }
  if (names.every((name) => name === '')) throw refused('repository', 'names no repository')
}

const NOT_A_HOST = {
  'not a host': 'names a host that is not one',
  'not in ASCII': 'must name the host in ASCII (xn--…)',
  'not in decimal': 'must write an address as four decimal numbers',
} as const

function parseHost(text: string): string {
  const read = readHost(text)
  if (read.status === 'refused') throw refused('repository', NOT_A_HOST[read.why])
  return read.host
}

function parsePort(text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault
  const port = Number(text)
  if (!/^[1-9]\d{0,4}$/.test(text) || port > 65_535) throw refused('repository', 'has a port that is not one')
  return port
}

/** An entry without a port means the usual one. */
function isListed(allowed: readonly string[], host: string, port: number, usualPort: number): boolean {
  const name = isIPv6(host) ? `[${host}]` : host
  return allowed.some((entry) => {
    const listed = entry.toLowerCase()
    return listed === `${name}:${port}` || (port === usualPort && (listed === name || listed === host))
  })
}

function rebuild(scheme: string, parts: Record<string, string | undefined>, host: string, isUrl: boolean): string {
  const name = isIPv6(host) ? `[${host}]` : host
  const user = parts['user'] === undefined ? '' : `${parts['user']}@`
  if (!isUrl) return `${user}${name}:${parts['path']}`
  const port = parts['port'] === undefined ? '' : `:${parts['port']}`
  return `${scheme}://${user}${name}${port}${parts['path']}`
}

function slashed(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}

function parseFile(url: string, rules: RemoteRules): Remote {
  if (rules.allowFile !== true) throw refused('repository', 'must not be a local path unless GIT_ALLOW_FILE is true')
  const path = url.startsWith('/') ? url : url.replace(/^file:\/\//i, '')
  if (!path.startsWith('/')) throw refused('repository', 'must be file:///path')
  checkPath(path)
  return { scheme: 'file', url: `file://${path}`, host: '', port: 0, trusted: true, path }
}
