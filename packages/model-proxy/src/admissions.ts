import { randomBytes } from 'node:crypto'
import type { AdmittedEngine } from '@opencode-gateway/contracts'

/** The engines that were let in, by their tokens. */
export interface Admissions {
  add(engine: AdmittedEngine): { token: string; end(): void }
  find(token: string | undefined): AdmittedEngine | undefined
}

const TOKEN_BYTES = 32

export function createAdmissions(): Admissions {
  const engines = new Map<string, AdmittedEngine>()
  return {
    add(engine) {
      const token = randomBytes(TOKEN_BYTES).toString('base64url')
      engines.set(token, engine)
      return { token, end: () => void engines.delete(token) }
    },
    find: (token) => (token === undefined ? undefined : engines.get(token)),
  }
}
