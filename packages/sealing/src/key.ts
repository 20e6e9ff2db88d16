import { createHash, randomBytes } from 'node:crypto'

/** A key of AES-256; its bytes are not listed where an object is printed or logged. */
export interface SealingKey {
  /** Tells keys apart, and nothing of the key. */
  readonly id: string
  bytes(): Buffer
}

const KEY_BYTES = 32
/** Standard or URL-safe alphabet, padded or not. */
const BASE64 = /^(?:[A-Za-z0-9+/]{43}=?|[A-Za-z0-9_-]{43}=?)$/

/** A key written as 32 bytes in base64; undefined when the text is no such key. */
export function parseSealingKey(text: string): SealingKey | undefined {
  if (!BASE64.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  // As many different bytes as a random key has with all but certainty: a text of one letter is a mistake.
  if (bytes.length !== KEY_BYTES || new Set(bytes).size < KEY_BYTES / 2) return undefined
  const id = createHash('sha256').update('opencode-gateway sealing key id\0').update(bytes).digest('base64url')
  return { id: id.slice(0, 11), bytes: () => bytes }
}

/** A new random key, and the text from which `parseSealingKey` reads it again. */
export function generateSealingKey(): { key: SealingKey; text: string } {
  const text = randomBytes(KEY_BYTES).toString('base64')
  const key = parseSealingKey(text)
  return key === undefined ? generateSealingKey() : { key, text }
}
