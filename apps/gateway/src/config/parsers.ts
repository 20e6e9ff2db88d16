import { isIP } from 'node:net'
import { PermissionRules, type ModelBudget } from '@opencode-gateway/contracts'
import { parseSealingKey, type SealingKey } from '@opencode-gateway/sealing'
import { durationMs } from '../orders/duration.ts'
import { misspeltPermission } from '../orders/misspelt-permission.ts'
import { schemaCompiler } from '../http/validation.ts'

/** What a parser says of a text: its value, or what it would have accepted. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; expected: string }
export type Parser<T> = (text: string) => Parsed<T>

const accept = <T>(value: T): Parsed<T> => ({ ok: true, value })
const refuse = (expected: string): { ok: false; expected: string } => ({ ok: false, expected })

export const text: Parser<string> = accept

export function integer(minimum: number, maximum: number): Parser<number> {
  return (input) => {
    const value = Number(input)
    return /^\d+$/.test(input) && value >= minimum && value <= maximum
      ? accept(value)
      : refuse(`a whole number from ${minimum} to ${maximum}`)
  }
}

/** Seconds without a unit, or a number with `ms`, `s`, `m`, `h` or `d`; the value is in milliseconds. */
export function duration(minimumMs: number, maximumMs: number): Parser<number> {
  return (input) => {
    const value = durationMs(input)
    return value !== undefined && value >= minimumMs && value <= maximumMs
      ? accept(value)
      : refuse(`seconds, or a number with ms, s, m, h or d, from ${minimumMs / 1000}s to ${maximumMs / 1000}s`)
  }
}

export function oneOf<const T extends string>(...values: readonly T[]): Parser<T> {
  return (input) => {
    const value = values.find((candidate) => candidate === input.toLowerCase())
    return value === undefined ? refuse(`one of ${values.join(', ')}`) : accept(value)
  }
}

export const flag: Parser<boolean> = (input) => {
  if (/^(true|1|yes|on)$/i.test(input)) return accept(true)
  if (/^(false|0|no|off)$/i.test(input)) return accept(false)
  return refuse('true or false')
}

export const host: Parser<string> = (input) =>
  isIP(input) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(input)
    ? accept(input)
    : refuse('an IP address or a host name')

/** Host names or addresses, each with a port where that is another one than usual. */
export const hostList: Parser<readonly string[]> = (input) => {
  const hosts = input.split(',').map((entry) => entry.trim().toLowerCase())
  const known = hosts.every((entry) => {
    const port = /:(\d{1,5})$/.exec(entry)
    return host(port ? entry.slice(0, port.index) : entry).ok
  })
  return known ? accept(hosts) : refuse('host names with commas between, each with ":port" where needed')
}

/** Base URLs by host, "host=url" with commas between. */
export const urlsByHost: Parser<Readonly<Record<string, string>>> = (input) => {
  const expected = 'host=url with commas between, each URL with http:// or https://'
  const urls: Record<string, string> = {}
  for (const entry of input.split(',')) {
    const [name = '', ...rest] = entry.trim().split('=')
    const url = httpUrl(rest.join('='))
    if (!hostList(name).ok || !url.ok) return refuse(expected)
    urls[name.toLowerCase()] = url.value
  }
  return accept(urls)
}

/** Limits by name, "calls=100,tokens=1000000,cost=2.50,wall=2h". */
export const budget: Parser<ModelBudget> = (input) => {
  const expected =
    '"calls=100,tokens=1000000,cost=2.50,wall=2h", or some of these: numbers above 0, the cost in USD, wall a duration'
  let limits: ModelBudget = {}
  for (const entry of input.split(',')) {
    const [, name, text = ''] = /^\s*(calls|tokens|cost|wall)=([\w.]+)\s*$/.exec(entry) ?? []
    const limit = name === 'wall' ? durationMs(text) : /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined
    if (limit === undefined || limit <= 0 || (name !== 'cost' && !Number.isSafeInteger(limit))) return refuse(expected)
    if (name === 'cost') limits = { ...limits, costUsd: limit }
    else if (name === 'wall') limits = { ...limits, wallMs: limit }
    else limits = { ...limits, [name === 'calls' ? 'calls' : 'tokens']: limit }
  }
  return accept(limits)
}

/** One line of text, as it goes into a commit. */
export const line: Parser<string> = (input) =>
  /^[^\p{Cc}<>]{1,200}$/u.test(input) ? accept(input) : refuse('1 to 200 characters on one line, without < and >')

/** A secret that travels in a header. */
export const token: Parser<string> = (input) =>
  /^[\x21-\x7e]{1,4096}$/.test(input) ? accept(input) : refuse('visible ASCII characters')

export const httpUrl: Parser<string> = (input) => {
  const url = URL.canParse(input) ? new URL(input) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return refuse('an http:// or https:// URL')
  if (url.username !== '' || url.password !== '') {
    return refuse('a URL without credentials; they go into OPENCODE_SERVER_USERNAME and OPENCODE_SERVER_PASSWORD')
  }
  return accept(input.replace(/\/+$/, ''))
}

export const jsonObject: Parser<string> = (input) => {
  try {
    const value: unknown = JSON.parse(input)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return accept(input)
  } catch {
    // The answer below is all that may be said: the parser's own message quotes the text, which is a secret.
  }
  return refuse('a JSON object')
}

export const permissions: Parser<PermissionRules> = (input) => {
  const expected = 'rules as JSON: "allow", "ask" or "deny", by permission and, where wanted, by pattern'
  let rules: unknown
  try {
    rules = JSON.parse(input)
  } catch {
    return refuse(expected)
  }
  if (!isPermissionRules(rules)) return refuse(expected)
  const misspelt = misspeltPermission(rules)
  return misspelt ? refuse(`the permission "${misspelt.meant}" instead of "${misspelt.name}"`) : accept(rules)
}

/** By the validator that reads them in requests: the one of the schemas' own package is 300 modules more in memory. */
function isPermissionRules(rules: unknown): rules is PermissionRules {
  return schemaCompiler({})(PermissionRules)(rules) === true
}

export const model: Parser<string> = (input) =>
  /^[^/\s]+\/\S+$/.test(input) ? accept(input) : refuse('"provider/model"')

/** An API key travels in a header: visible ASCII, no blanks. */
export const apiKey: Parser<string> = (input) =>
  /^[\x21-\x7e]{8,512}$/.test(input) ? accept(input) : refuse('8 to 512 visible ASCII characters')

export const sealingKey: Parser<SealingKey> = (input) => {
  const key = parseSealingKey(input)
  return key === undefined ? refuse('32 random bytes in base64, as of `openssl rand -base64 32`') : accept(key)
}
