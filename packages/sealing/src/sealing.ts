import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { SealingKey } from './key.ts'

/** Texts that only who has the key can read, and nobody can change or put in another's place. */
export interface Sealing {
  /**
   * The text under the current key, as printable ASCII. `context` says what it is and whose ("git_credentials of
   * session …"): it is not in the result, and the result opens with the same context alone.
   */
  seal(text: string, context: string): string
  /** Throws SealingError; neither the text nor a key is in its message. */
  open(sealed: string, context: string): string
  /** Whether it was sealed under another key than the current one, so that it is to be sealed again. */
  isStale(sealed: string): boolean
}

export class SealingError extends Error {
  /** `altered`: changed, cut off, or sealed for another context. */
  readonly reason: 'malformed' | 'unknown_key' | 'altered'

  constructor(reason: SealingError['reason'], message: string) {
    super(message)
    this.name = 'SealingError'
    this.reason = reason
  }
}

const FORM = 'v1'
const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * AES-256-GCM with a random nonce for each text. What is sealed names its key: `previous` opens what was sealed before
 * the key was changed, and seals nothing.
 */
export function createSealing(keys: { current: SealingKey; previous?: SealingKey | undefined }): Sealing {
  const { current, previous } = keys
  return {
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(ALGORITHM, current.bytes(), nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(bound(current, context))
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${FORM}.${current.id}.${body.toString('base64url')}`
    },
    open(sealed, context) {
      const { keyId, body } = parse(sealed)
      const key = [current, previous].find((candidate) => candidate?.id === keyId)
      if (key === undefined) throw new SealingError('unknown_key', `the key "${keyId}" it was sealed with is not known`)
      const nonce = body.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv(ALGORITHM, key.bytes(), nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(bound(key, context))
      decipher.setAuthTag(body.subarray(-TAG_BYTES))
      try {
        const text = decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES))
        return Buffer.concat([text, decipher.final()]).toString('utf8')
      } catch {
        throw new SealingError('altered', 'it was changed, or sealed for something else')
      }
    },
    isStale: (sealed) => parse(sealed).keyId !== current.id,
  }
}

function bound(key: SealingKey, context: string): Buffer {
  return Buffer.from(`opencode-gateway\0${FORM}\0${key.id}\0${context}`)
}

function parse(sealed: string): { keyId: string; body: Buffer } {
  const [, keyId = '', text = ''] = /^v1\.([\w-]{11})\.([\w-]+)$/.exec(sealed) ?? []
  const body = Buffer.from(text, 'base64url')
  // Base64 can write the same bytes in more than one way.
  if (body.length >= NONCE_BYTES + TAG_BYTES && body.toString('base64url') === text) return { keyId, body }
  throw new SealingError('malformed', 'it is not what was sealed')
}
