import type { Dialect } from './dialect.ts'
import type { AnswerTap } from './forward.ts'
import type { AnswerSize } from './estimate.ts'
import { isLastWord, readUsage, usageMark, type TokenCount } from './read-usage.ts'

/** Looks into an answer as it passes and finds what it says of its usage. */
export interface UsageTap extends AnswerTap {
  /** What the answer has told so far; undefined when nothing. */
  usage(): TokenCount | undefined
  /** Whether that is its last word on it. */
  isFinal(): boolean
  /** How much has come, without what was too long to be looked into. */
  size(): AnswerSize
  /** Nothing more comes. */
  end(): void
}

/** A message of a stream may be so long; a longer one is not looked into. Bytes. */
const MAX_MESSAGE_BYTES = 1024 ** 2
/** So may an answer in one piece. */
const MAX_ANSWER_BYTES = 8 * 1024 ** 2
const NEWLINE = 0x0a
const DATA = Buffer.from('data:')

/** Keeps a copy of what is not yet a whole message, or of an answer in one piece, up to a bound; of nothing else. */
export function createUsageTap(dialect: Dialect): UsageTap {
  const mark = Buffer.from(usageMark(dialect))
  let usage: TokenCount | undefined
  let isFinal = false
  let bytes = 0
  let messages = 0
  let shortestBytes = Number.POSITIVE_INFINITY
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
        const told = readUsage(dialect, message, usage)
        if (told === undefined) continue
        usage = told
        isFinal = isLastWord(dialect, message)
      }
    } catch {
      // What is no JSON tells no usage; whether the answer is of use is for the engine to say.
    }
  }
  const measure = (lines: Buffer): void => {
    for (let from = 0; from < lines.length;) {
      const at = lines.indexOf(NEWLINE, from)
      const to = at === -1 ? lines.length : at
      // The first letter of "data:" tells enough of most lines.
      if (lines[from] === DATA[0] && lines.indexOf(DATA, from) === from) {
        messages += 1
        bytes += to - from
        shortestBytes = Math.min(shortestBytes, to - from)
      }
      from = to + 1
    }
  }
  const readLines = (lines: Buffer): void => {
    measure(lines)
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
    isFinal: () => isFinal,
    size: () => ({ bytes, messages, shortestBytes: messages === 0 ? 0 : shortestBytes }),
    begin(status, headers) {
      if (status >= 300) return
      kind = (headers['content-type'] ?? '').startsWith('text/event-stream') ? 'stream' : 'whole'
    },
    chunk(chunk) {
      if (kind === 'stream') readStream(chunk)
      else if (kind === 'whole') {
        bytes += chunk.length
        keep(chunk, MAX_ANSWER_BYTES)
      }
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
