import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { Upstream } from './upstream.ts'

/** Headers in which SDKs send a key, and how it stands there. */
const keyHeaders: Readonly<Record<string, (key: string) => string>> = {
  authorization: (key) => `Bearer ${key}`,
  'x-api-key': (key) => key,
  'x-goog-api-key': (key) => key,
  'api-key': (key) => key,
}

/** Belong to one connection, or are decided by the proxy. */
const own: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
  'cookie',
  'set-cookie',
  'accept-encoding',
])

/** The token of a call, in whichever header its SDK sends keys. */
export function presentedToken(headers: IncomingHttpHeaders): string | undefined {
  for (const name of Object.keys(keyHeaders)) {
    const value = headers[name]
    if (typeof value === 'string') return value.replace(/^bearer +/i, '')
  }
  return undefined
}

/** What the provider is sent: the engine's headers with the provider's key where the token was. */
export function requestHeaders(
  given: IncomingHttpHeaders,
  { headers, key }: Pick<Upstream, 'headers' | 'key'>,
  bodyBytes: number,
): Record<string, string | string[]> {
  const sent: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || own.has(name) || name === 'content-length') continue
    const asKey = keyHeaders[name]
    if (asKey === undefined) sent[name] = value
    else if (key !== undefined) sent[name] = asKey(key)
  }
  // What is counted on the way must be readable.
  return { ...sent, ...headers, 'accept-encoding': 'identity', 'content-length': String(bodyBytes) }
}

/** What the engine is sent of the provider's headers. */
export function responseHeaders(given: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !own.has(name)))
}
