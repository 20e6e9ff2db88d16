import { GatewayError } from '@opencode-gateway/contracts'
import { joined, quoted } from './path.ts'

/** Names under which credentials are kept by custom. */
const SECRET = [
  /^\.env(\..*)?$/,
  /^\.envrc$/,
  /\.env$/,
  /\.(pem|key|p12|pfx|jks|keystore|ppk|kdbx)$/,
  /^id_(rsa|dsa|ecdsa|ed25519)/,
  /^(\.npmrc|\.netrc|_netrc|\.pypirc|\.pgpass|\.htpasswd|\.dockercfg|\.git-credentials)$/,
  /^(\.ssh|\.aws|\.gnupg|\.kube|\.docker)$/,
  /^\.?credentials/,
  /^\.?secrets?\.(json|ya?ml|toml)$/,
]
const HARMLESS = /^\.env\.(example|sample|template)$/

/** Whether some name of a path says that what lies there is a secret. */
export const looksSecret = (names: readonly string[]): boolean =>
  names.map((name) => name.toLowerCase()).some((name) => !HARMLESS.test(name) && SECRET.some((rule) => rule.test(name)))
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
