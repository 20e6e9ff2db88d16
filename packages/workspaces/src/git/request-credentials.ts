import { GatewayError, type FieldProblem, type GitCredentialInput } from '@opencode-gateway/contracts'
import { isHostName, type GitCredential, type GitCredentials } from './credentials.ts'

/** `git_credentials` of a request. */
export type RequestCredentials = Readonly<Record<string, GitCredentialInput>>

const SSH_KEY =
  /^-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\n[A-Za-z0-9+/=\n:, -]+\n-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----$/

/** Throws INVALID_REQUEST, which names hosts and fields and repeats nothing of what they hold. */
export function parseRequestCredentials(given: RequestCredentials): GitCredentials {
  const credentials = new Map<string, GitCredential>()
  for (const [name, input] of Object.entries(given)) {
    const host = name.toLowerCase()
    const field = `git_credentials.${name}`
    if (!isHostName(host)) throw invalid({ field, reason: 'is not a host or host:port' })
    if (credentials.has(host)) throw invalid({ field, reason: 'is there twice' })
    credentials.set(host, parseCredential(field, input))
  }
  return credentials
}

function parseCredential(field: string, input: GitCredentialInput): GitCredential {
  const { token, username, password, ssh_key: sshKey } = input
  if (token !== undefined && password !== undefined) throw invalid({ field, reason: 'has both token and password' })
  if (password !== undefined && username === undefined) {
    throw invalid({ field: `${field}.username`, reason: 'is required with a password' })
  }
  if (username !== undefined && (password ?? token) === undefined) {
    throw invalid({ field: `${field}.password`, reason: 'is required with a username' })
  }
  for (const [name, text] of Object.entries({ token, username, password })) {
    // oxlint-disable-next-line no-control-regex
    if (text === undefined || !/[\0-\x1f\x7f]/.test(text)) continue
    throw invalid({ field: `${field}.${name}`, reason: 'must not have control characters' })
  }
  const secret = token ?? password
  if (secret === undefined && sshKey === undefined) {
    throw invalid({ field, reason: 'needs a token, a username and password, or an ssh_key' })
  }
  return {
    ...(secret === undefined ? {} : { username: username ?? 'x-access-token', password: secret }),
    ...(sshKey === undefined ? {} : { sshKey: parseKey(`${field}.ssh_key`, sshKey) }),
  }
}

function parseKey(field: string, text: string): string {
  const key = text.replaceAll('\r\n', '\n').trim()
  if (SSH_KEY.test(key)) return key
  throw invalid({ field, reason: 'must be a private key in PEM or OpenSSH form' })
}

function invalid(problem: FieldProblem): GatewayError {
  return new GatewayError('INVALID_REQUEST', `${problem.field} ${problem.reason}.`, { details: problem })
}
