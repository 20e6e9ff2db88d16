import type { Dialect } from './dialect.ts'
import { fieldsOf, type Fields } from './fields.ts'

/** Tokens as a provider tells them. Kinds are apart: `input` is without the cache, `output` without reasoning. */
export interface TokenCount {
  input: number
  output: number
  reasoning: number
  cacheRead: number
  cacheWrite: number
  /** What the provider itself says the call costs, in USD. */
  costUsd?: number
}

type Reader = (message: Fields) => TokenCount | undefined

/** Reads the usage of a whole answer, or of one message of a stream; undefined when the message has none. */
export function readUsage(dialect: Dialect, message: unknown, before?: TokenCount): TokenCount | undefined {
  const fields = fieldsOf(message)
  return dialect === 'messages' ? messages(fields, before) : readers[dialect](fields)
}

/** Whether a message that has usage tells the last word on it; some tell it on the way, too. */
export function isLastWord(dialect: Dialect, message: unknown): boolean {
  const fields = fieldsOf(message)
  if (dialect === 'messages') return fields['type'] !== 'message_start'
  if (dialect !== 'google') return true
  const { candidates } = fields
  return Array.isArray(candidates) && candidates.some((candidate) => fieldsOf(candidate)['finishReason'] !== undefined)
}

/** What the message with the usage has in it, to be found before it is parsed. */
export const usageMark = (dialect: Dialect): string => (dialect === 'google' ? '"usageMetadata"' : '"usage"')

const readers: Readonly<Record<Exclude<Dialect, 'messages'>, Reader>> = {
  chat({ usage }) {
    const counted = fieldsOf(usage)
    if (!isCount(counted['prompt_tokens']) && !isCount(counted['completion_tokens'])) return undefined
    const cacheRead =
      count(fieldsOf(counted['prompt_tokens_details'])['cached_tokens']) || count(counted['prompt_cache_hit_tokens'])
    const reasoning = count(fieldsOf(counted['completion_tokens_details'])['reasoning_tokens'])
    const cost = counted['cost']
    return {
      input: less(count(counted['prompt_tokens']), cacheRead),
      output: less(count(counted['completion_tokens']), reasoning),
      reasoning,
      cacheRead,
      cacheWrite: 0,
      ...(typeof cost === 'number' && cost >= 0 ? { costUsd: cost } : {}),
    }
  },
  responses({ usage, response }) {
    const counted = fieldsOf(usage ?? fieldsOf(response)['usage'])
    if (!isCount(counted['input_tokens']) && !isCount(counted['output_tokens'])) return undefined
    const cacheRead = count(fieldsOf(counted['input_tokens_details'])['cached_tokens'])
    const reasoning = count(fieldsOf(counted['output_tokens_details'])['reasoning_tokens'])
    return {
      input: less(count(counted['input_tokens']), cacheRead),
      output: less(count(counted['output_tokens']), reasoning),
      reasoning,
      cacheRead,
      cacheWrite: 0,
    }
  },
  google({ usageMetadata }) {
    const counted = fieldsOf(usageMetadata)
    if (!isCount(counted['promptTokenCount']) && !isCount(counted['candidatesTokenCount'])) return undefined
    const cacheRead = count(counted['cachedContentTokenCount'])
    return {
      input: less(count(counted['promptTokenCount']) + count(counted['toolUsePromptTokenCount']), cacheRead),
      output: count(counted['candidatesTokenCount']),
      reasoning: count(counted['thoughtsTokenCount']),
      cacheRead,
      cacheWrite: 0,
    }
  },
}

/** The first message of a stream has the input, later ones the output so far; what one leaves out stands. */
function messages({ usage, message }: Fields, before: TokenCount | undefined): TokenCount | undefined {
  const counted = fieldsOf(usage ?? fieldsOf(message)['usage'])
  const known = ['input_tokens', 'output_tokens'].some((name) => isCount(counted[name]))
  if (!known) return undefined
  const either = (name: string, earlier: number | undefined): number =>
    isCount(counted[name]) ? counted[name] : (earlier ?? 0)
  return {
    input: either('input_tokens', before?.input),
    output: either('output_tokens', before?.output),
    reasoning: 0,
    cacheRead: either('cache_read_input_tokens', before?.cacheRead),
    cacheWrite: either('cache_creation_input_tokens', before?.cacheWrite),
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const count = (value: unknown): number => (isCount(value) ? value : 0)
const less = (all: number, part: number): number => Math.max(0, all - part)
