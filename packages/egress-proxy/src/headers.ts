import type { IncomingMessage } from 'node:http'
import { malformed } from './refusal.ts'
import type { Target } from './target.ts'

// Of one connection alone, or made anew for the next one.
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])
const OF_REQUEST: ReadonlySet<string> = new Set(['host', 'expect', 'content-length'])
/** Methods whose requests may go without a word about their body. */
const BODILESS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

/** What goes on with the request, names and values in turn. How its body ends is said anew, whatever it said. */
export function requestHeaders(request: IncomingMessage, { host, port }: Target): { headers: string[]; body: boolean } {
  const name = host.includes(':') ? `[${host}]` : host
  const own = ['host', port === 80 ? name : `${name}:${port}`, 'connection', 'close']
  const headers = [...own, ...passedOn(request, OF_REQUEST)]
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw malformed('a body can be chunked, and nothing else')
    return { headers: [...headers, 'transfer-encoding', 'chunked'], body: true }
  }
  if (length !== undefined) return { headers: [...headers, 'content-length', length], body: true }
  return { headers: BODILESS.has(request.method) ? headers : [...headers, 'content-length', '0'], body: false }
}

/** What comes back with the answer, names and values in turn. */
export function answerHeaders(answer: IncomingMessage): string[] {
  return passedOn(answer, new Set())
}

function passedOn({ headers, rawHeaders }: IncomingMessage, besides: ReadonlySet<string>): string[] {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
  // It says how the body ends.
  named.delete('content-length')
  const kept: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    const known = name.toLowerCase()
    if (known.startsWith('proxy-') || OF_CONNECTION.has(known) || named.has(known) || besides.has(known)) continue
    kept.push(name, value)
  }
  return kept
}
