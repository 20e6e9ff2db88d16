import type { TokenCount } from './read-usage.ts'

/** How much of an answer has come. */
export interface AnswerSize {
  bytes: number
  /** Messages of a stream; 0 for an answer in one piece. */
  messages: number
  /** Of the shortest message. */
  shortestBytes: number
}

/** Of text and JSON in most languages it is more. */
const BYTES_PER_TOKEN = 4

/**
 * The tokens of a call that was broken off before its provider had told them all, rather too many than too few: what it
 * has told stands; else the request has a token for every four bytes, and the answer one for each message of the stream,
 * and for every four bytes by which a message is longer than the shortest one.
 */
export function estimateCount(
  told: TokenCount | undefined,
  { requestBytes, answer }: { requestBytes: number; answer: AnswerSize },
): TokenCount {
  const { bytes, messages, shortestBytes } = answer
  const output = messages + Math.ceil(Math.max(0, bytes - messages * shortestBytes) / BYTES_PER_TOKEN)
  if (!told) {
    return { input: Math.ceil(requestBytes / BYTES_PER_TOKEN), output, reasoning: 0, cacheRead: 0, cacheWrite: 0 }
  }
  // What it costs is told last, if at all.
  const { costUsd: _, ...counted } = told
  return { ...counted, output: Math.max(told.output, output - told.reasoning) }
}
