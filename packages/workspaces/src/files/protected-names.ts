import { GatewayError } from '@opencode-gateway/contracts'
import { joined, quoted } from './path.ts'
import { looksSecret } from './secret-names.ts'

/** Whether a path is `.git`, or in it. Macs do not tell `.GIT` from it. */
export const isGit = (names: readonly string[]): boolean => names.some((name) => name.toLowerCase() === '.git')

/** Throws SECRET_FILE_DENIED. */
export function requireNoSecret(names: readonly string[], allowed: boolean | undefined): void {
  if (allowed === true || !looksSecret(names)) return
  throw new GatewayError(
    'SECRET_FILE_DENIED',
    `${quoted(joined(names))} looks like a secret: only a key with the scope "files:secrets" may read or write it.`,
  )
}

/** Throws FORBIDDEN: hooks and configuration of a repository are programs that git runs. */
export function requireNoGit(names: readonly string[]): void {
  if (!isGit(names)) return
  throw new GatewayError('FORBIDDEN', `${quoted(joined(names))} belongs to git and is not changed from outside.`)
}
