import { createSealing, SealingError, type SealingKey } from '@opencode-gateway/sealing'

/** Who has a token made; the id of the key is undefined where no key is asked for. */
export interface TokenHolder {
  keyId: string | undefined
}

/** Tokens with which a reader that cannot send a key, such as the EventSource of a browser, reads one session's stream. */
export interface StreamTokens {
  issue(holder: TokenHolder, sessionId: string): { token: string; expiresAt: number }
  /** Whose it is; undefined for one that has run out, is for another session, or was not made here. */
  open(token: string, sessionId: string): TokenHolder | undefined
}

export interface StreamTokensOptions {
  /** Of this purpose alone. */
  key: SealingKey
  lifetimeMs: number
  now?: () => number
}

/** They are sealed, not stored: what a token holds is in it, and only who has the key can make or read one. */
export function createStreamTokens({ key, lifetimeMs, now = Date.now }: StreamTokensOptions): StreamTokens {
  const sealing = createSealing({ current: key })
  return {
    issue({ keyId }, sessionId) {
      const expiresAt = now() + lifetimeMs
      return { token: sealing.seal(JSON.stringify([keyId ?? null, expiresAt]), contextOf(sessionId)), expiresAt }
    },
    open(token, sessionId) {
      let text: string
      try {
        text = sealing.open(token, contextOf(sessionId))
      } catch (err) {
        if (err instanceof SealingError) return undefined
        throw err
      }
      const [keyId, expiresAt] = JSON.parse(text) as [string | null, number]
      return now() < expiresAt ? { keyId: keyId ?? undefined } : undefined
    },
  }
}

const contextOf = (sessionId: string): string => `stream token of session ${sessionId}`
