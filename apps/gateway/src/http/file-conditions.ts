import { GatewayError } from '@opencode-gateway/contracts'
import type { ByteRange } from '@opencode-gateway/contracts'

const TAG = /^"([\x21\x23-\x7e]*)"$/
const RANGE = /^bytes=(\d{1,15})?-(\d{1,15})?$/

/** Whether the client has this content already. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((known) => ['*', etag, `W/${etag}`].includes(known.trim()))
}

/**
 * The part of a file that is asked for; undefined for the whole, which is also the answer to what is not understood
 * (RFC 9110, 14.2). A range the file does not have is returned as it is.
 */
export function readRange(
  { range, 'if-range': ifRange }: { range?: string | undefined; 'if-range'?: string | string[] | undefined },
  { etag, size }: { etag: string; size: number },
): ByteRange | undefined {
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return undefined
  const [, first, last] = RANGE.exec(range) ?? []
  if (first === undefined && last === undefined) return undefined
  if (first === undefined) return { start: Math.max(0, size - Number(last)), end: Number(last) === 0 ? -1 : size - 1 }
  const end = last === undefined ? Infinity : Number(last)
  if (end < Number(first)) return undefined
  return { start: Number(first), end: Math.min(end, Math.max(size - 1, Number(first))) }
}

/** What a writer expects of the file that is there. */
export function readPrecondition(headers: { 'if-match'?: string | undefined; 'if-none-match'?: string | undefined }): {
  ifMatch?: string
  ifAbsent?: boolean
} {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*')
    throw invalid('If-None-Match', 'must be * for a file that is written')
  const absent = ifNoneMatch === undefined ? {} : { ifAbsent: true }
  if (ifMatch === undefined) return absent
  const expected = ifMatch.trim() === '*' ? '*' : TAG.exec(ifMatch.trim())?.[1]
  if (expected === undefined) throw invalid('If-Match', 'must be * or one ETag in quotes')
  return { ifMatch: expected, ...absent }
}

function invalid(field: string, reason: string): GatewayError {
  return new GatewayError('INVALID_REQUEST', `${field} ${reason}.`, { details: { field, reason } })
}
