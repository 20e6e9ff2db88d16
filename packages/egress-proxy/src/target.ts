import type { IncomingMessage } from 'node:http'
import { readHost } from '@opencode-gateway/addresses'
import { canonical } from './host-rule.ts'
import { malformed } from './refusal.ts'

/** Where somebody wants to connect to. */
export interface Target {
  /** Lower case, without a dot at its end, an IPv6 address without brackets. */
  host: string
  port: number
}

const AUTHORITY = /^(?<host>\[[^\]]{1,64}\]|[^:@/?#[\]]{1,254})(?::(?<port>[1-9]\d{0,4}))?$/
const URL_FORM = /^http:\/\/(?<authority>[^/?#]*)(?<path>[/?][^#]*)?$/i

/** Of CONNECT. Throws `Refusal`. */
export function readAuthority(request: IncomingMessage): Target {
  return parse(urlOf(request), undefined)
}

/** Of any other method, with what is asked of the host. Throws `Refusal`. */
export function readUrl(request: IncomingMessage): Target & { path: string } {
  const { authority, path = '/' } = URL_FORM.exec(urlOf(request))?.groups ?? {}
  if (authority === undefined) throw malformed('ask for http://host/path, or CONNECT host:port for anything else')
  return { ...parse(authority, 80), path: path.startsWith('/') ? path : `/${path}` }
}

function urlOf({ url = '', httpVersionMajor }: IncomingMessage): string {
  // Node takes a line without a version for one of HTTP/0.9.
  if (httpVersionMajor !== 1) throw malformed('speak HTTP/1.1')
  return url
}

function parse(authority: string, usualPort: number | undefined): Target {
  const { host = '', port = usualPort } = AUTHORITY.exec(authority)?.groups ?? {}
  if (host === '' || port === undefined || Number(port) > 65_535)
    throw malformed('name a host and a port, without credentials')
  const read = readHost(host.replace(/([^.])\.$/, '$1'))
  if (read.status === 'refused') throw malformed(`the host "${host}" is ${read.why}`)
  return { host: canonical(read.host), port: Number(port) }
}
