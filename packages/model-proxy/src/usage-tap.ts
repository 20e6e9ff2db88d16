import type { Dialect } from './dialect.ts'
import type { AnswerTap } from './forward.ts'
import { readUsage, usageMark, type TokenCount } from './read-usage.ts'

/** Looks into an answer as it passes and finds what it says of its usage. */
export interface UsageTap extends AnswerTap {
  /** What the answer has told so far; undefined when nothing. */
  usage(): TokenCount | undefined
  /** The answer is whole. */
  end(): void
}

/** A message of a stream may be so long; a longer one is not looked into. Bytes. */
const MAX_MESSAGE_BYTES = 1024 ** 2
/** So may an answer in one piece. */
const MAX_ANSWER_BYTES = 8 * 1024 ** 2
const NEWLINE = 0x0a

/** Keeps a copy of what is not yet a whole message, or of an answer in one piece, up to a bound; of nothing else. */
export function createUsageTap(dialect: Dialect): UsageTap {
  const mark = Buffer.from(usageMark(dialect))
  let usage: TokenCount | undefined
  let kind: 'stream' | 'whole' | 'none' = 'none'
  let kept: Buffer[] = []
  let keptBytes = 0
  /** What is under way is too long to be kept. */
  let skipping = false

  const keep = (piece: Buffer, maxBytes: number): void => {
    if (piece.length === 0 || skipping) return
    keptBytes += piece.length
    if (keptBytes > maxBytes) {
      skipping = true
      drop()
    } else kept.push(Buffer.from(piece))
  }
  const drop = (): void => {
    kept = []
    keptBytes = 0
  }
  const read = (text: string): void => {
    try {
      const parsed: unknown = JSON.parse(text)
      for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
        usage = readUsage(dialect, message, usage) ?? usage
      }
    } catch {
      // What is no JSON tells no usage; whether the answer is of use is for the engine to say.
    }
  }
  const readLines = (lines: Buffer): void => {
    if (!lines.includes(mark)) return
    for (const line of lines.toString('utf8').split('\n')) {
      if (line.startsWith('data:') && line.includes(mark.toString())) read(line.slice('data:'.length))
    }
  }
  const readStream = (chunk: Buffer): void => {
    const last = chunk.lastIndexOf(NEWLINE)
    if (last === -1) return keep(chunk, MAX_MESSAGE_BYTES)
    const whole = chunk.subarray(0, last + 1)
    if (!skipping) readLines(kept.length === 0 ? whole : Buffer.concat([...kept, whole]))
    // The rest of a line that was too long is taken for a line of its own, which tells nothing.
    skipping = false
    drop()
    keep(chunk.subarray(last + 1), MAX_MESSAGE_BYTES)
  }

  return {
    usage: () => usage,
    begin(status, headers) {
      if (status >= 300) return
      kind = (headers['content-type'] ?? '').startsWith('text/event-stream') ? 'stream' : 'whole'
    },
    chunk(chunk) {
      if (kind === 'stream') readStream(chunk)
      else if (kind === 'whole') keep(chunk, MAX_ANSWER_BYTES)
    },
    end() {
      if (skipping || kept.length === 0) return
      const rest = Buffer.concat(kept)
      drop()
      if (kind === 'stream') readLines(rest)
      else read(rest.toString('utf8'))
    },
  }
}
