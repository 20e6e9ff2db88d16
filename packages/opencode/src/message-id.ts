import { createHash } from 'node:crypto'

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const COUNTER_BITS = 12n
const MASK = (1n << 48n) - 1n

export interface MessageIdOptions {
  runId: string
  /** The engine's clock in milliseconds since the epoch; must not be ahead of the engine. */
  engineNow: number
  /** The latest message of the session. */
  newest: string | undefined
}

/**
 * An id for our own prompt message, in the engine's form: 48 bits of time and counter in hex, then 14 letters. The
 * engine orders messages by id, and so do we when we tell which belong to a run: the prompt must sort after all that
 * was there and before its answers. The letters come from the run, so that its prompt is found again after a restart.
 */
export function createMessageId({ runId, engineNow, newest }: MessageIdOptions): string {
  const byTime = ((BigInt(Math.floor(engineNow)) << COUNTER_BITS) + 1n) & MASK
  const last = newest === undefined ? undefined : stampOf(newest)
  const stamp = last !== undefined && last >= byTime ? last + 1n : byTime
  return `msg_${stamp.toString(16).padStart(12, '0')}${lettersOf(runId)}`
}

/** True for the prompt message of the run. */
export function isPromptOf(messageId: string, runId: string): boolean {
  return messageId.length === 30 && messageId.endsWith(lettersOf(runId))
}

function lettersOf(runId: string): string {
  const bytes = createHash('sha256').update(runId).digest().subarray(0, 14)
  return Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join('')
}

function stampOf(messageId: string): bigint | undefined {
  const hex = /^msg_([0-9a-f]{12})/.exec(messageId)?.[1]
  return hex === undefined ? undefined : BigInt(`0x${hex}`)
}
