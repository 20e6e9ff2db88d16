import type { Step } from './step.ts'
import { takeOptions, unescapeText } from './text.ts'
import { readToolCall } from './tool-lines.ts'

export type Line =
  | { readonly kind: 'text' }
  | { readonly kind: 'malformed'; readonly line: string; readonly reason: string }
  | { readonly kind: 'step'; readonly step: Step; readonly joined: boolean }

const VERBS = new Set(
  'say think write read edit run task todo question tool slow long gate error drop nofinish loop hang hangbefore overflow finish usage echo'.split(
    ' ',
  ),
)
/** Verbs that may stand alone on a line. Only these, or text that merely uses such a word would be a script. */
const BARE = /^(drop|nofinish|loop|hang|hangbefore|overflow)(?:\s+(times=\d+))?$/

/** Reads one line of a prompt; only a known verb at the start of the line makes it more than text. */
export function readLine(raw: string): Line {
  const line = raw.trim()
  const joined = line.startsWith('+ ')
  const body = joined ? line.slice(2).trimStart() : line
  const bare = BARE.exec(body)
  const colon = bare ? undefined : /^([a-z]+):(?:\s+(.*))?$/s.exec(body)
  const verb = bare?.[1] ?? colon?.[1]
  if (verb === undefined || !VERBS.has(verb)) return { kind: 'text' }
  try {
    return { kind: 'step', step: readStep(verb, (bare?.[2] ?? colon?.[2] ?? '').trim()), joined }
  } catch (error) {
    return { kind: 'malformed', line, reason: error instanceof Error ? error.message : String(error) }
  }
}

function readStep(verb: string, rest: string): Step {
  switch (verb) {
    case 'say':
    case 'think':
      return { kind: verb, text: unescapeText(rest) }
    case 'slow': {
      const match = /^(\d+)\s*x\s*(\d+)(?:\s*ms)?$/.exec(rest)
      if (!match) throw new Error('it needs "count x milliseconds"')
      return { kind: 'slow', count: bounded(match[1], 100_000), delayMs: bounded(match[2], 3_600_000) }
    }
    case 'long':
      return { kind: 'long', bytes: bounded(rest, 64 * 1024 * 1024) }
    case 'gate':
      if (rest === '') throw new Error('it needs a name')
      return { kind: 'gate', name: rest }
    case 'echo':
      if (rest === '') throw new Error('it needs what to echo')
      return { kind: 'echo', fields: rest.split(/[\s,]+/) }
    case 'usage': {
      const numbers = rest.split(/\s+/).map((part) => bounded(part, 1e9))
      const [input, output, cached = 0, reasoning = 0] = numbers
      if (input === undefined || output === undefined) throw new Error('it needs "input output [cached [reasoning]]"')
      return { kind: 'usage', usage: { input, output, cached, reasoning } }
    }
    case 'finish':
      if (!/^[a-z_]+$/.test(rest)) throw new Error('it needs a finish_reason')
      return { kind: 'finish', reason: rest }
    case 'nofinish':
      return { kind: 'nofinish' }
    case 'loop':
      return readLoop(rest)
    case 'drop':
      return { kind: 'drop', times: times(rest, 1) }
    case 'hang':
    case 'hangbefore':
      return { kind: verb, times: times(rest, Number.POSITIVE_INFINITY) }
    case 'error':
    case 'overflow':
      return readError(verb, rest)
    default: {
      const call = readToolCall(verb, rest)
      if (!call) throw new Error(`"${verb}" is not a verb`)
      return { kind: 'tools', calls: [call] }
    }
  }
}

function readLoop(rest: string): Step {
  if (rest === '' || rest === 'tool_calls') return { kind: 'loop', calls: [], reason: 'tool_calls' }
  if (rest === 'nofinish') return { kind: 'loop', calls: [], reason: undefined }
  const inner = readLine(rest)
  if (inner.kind !== 'step' || inner.step.kind !== 'tools') throw new Error('it takes nothing, nofinish or a tool line')
  return { kind: 'loop', calls: inner.step.calls, reason: 'tool_calls' }
}

function readError(verb: 'error' | 'overflow', rest: string): Step {
  if (verb === 'overflow') {
    const message =
      "This model's maximum context length is 1000 tokens. However, your messages resulted in 2000 tokens."
    const code = 'context_length_exceeded'
    return { kind: 'error', status: 400, code, message, retryAfter: undefined, times: times(rest, 1) }
  }
  const match = /^([45]\d\d)(?:\s+(.*))?$/s.exec(rest)
  if (match?.[1] === undefined) throw new Error('it needs a status from 400 to 599')
  const { options, rest: text } = takeOptions(match[2] ?? '')
  const known = options.keys().every((key) => ['times', 'retry-after', 'code'].includes(key))
  if (!known) throw new Error('its options are times=, retry-after= and code=')
  return {
    kind: 'error',
    status: Number(match[1]),
    code: options.get('code') ?? 'scripted_error',
    message: text === '' ? `scripted error ${match[1]}` : unescapeText(text),
    retryAfter: options.get('retry-after'),
    times: options.has('times') ? bounded(options.get('times'), 1e9) : 1,
  }
}

function times(rest: string, fallback: number): number {
  const { options, rest: text } = takeOptions(rest)
  if (text !== '' || options.keys().some((key) => key !== 'times')) throw new Error('its only option is times=')
  return options.has('times') ? bounded(options.get('times'), 1e9) : fallback
}

function bounded(text: string | undefined, maximum: number): number {
  const number = Number(text === '' ? undefined : text)
  if (!Number.isInteger(number) || number < 0 || number > maximum) {
    throw new Error(`"${text ?? ''}" is not a whole number from 0 to ${maximum}`)
  }
  return number
}
