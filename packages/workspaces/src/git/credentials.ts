import path from 'node:path'
import type { Remote } from './remote.ts'

/** How to authenticate to one host. A token is a password; a key file is for ssh alone. */
export interface GitCredential {
  username?: string
  password?: string
  sshKeyFile?: string
  /** A private key itself, without a passphrase. It is never written to a file. */
  sshKey?: string
  /** What the host's key is checked against; else it is remembered at the first contact. */
  knownHostsFile?: string
}

/** By `host`, which holds for https and ssh on their usual ports, or by `host:port`, which http needs. */
export type GitCredentials = ReadonlyMap<string, GitCredential>

export function credentialFor(credentials: GitCredentials, remote: Remote): GitCredential | undefined {
  const { host, port, scheme } = remote
  if (scheme === 'file') return undefined
  const named = credentials.get(`${host}:${port}`)
  if (named !== undefined) return named
  // Never over http by the bare name: a URL with http would take the secret of an https host in clear text.
  const usual = (scheme === 'https' && port === 443) || scheme === 'ssh'
  return usual ? credentials.get(host) : undefined
}

/** All that must not appear in a text. */
export function secretsOf(credential: GitCredential | undefined): readonly string[] {
  const { username = '', password, sshKey } = credential ?? {}
  const lines = sshKey?.split('\n').filter((line) => line !== '' && !line.startsWith('-----')) ?? []
  if (password === undefined) return lines
  const basic = Buffer.from(`${username}:${password}`).toString('base64')
  return [...new Set([password, encodeURIComponent(password), basic, ...lines])]
}

/**
 * Reads the text of a JSON file of host → `{"token"}`, `{"username","password"}` or `{"sshKeyFile"}`; `githubToken`
 * counts for github.com unless the file names it. Errors say which host and field is wrong, never what was there.
 */
export function parseGitCredentials(sources: {
  file?: { file: string; text: string } | undefined
  githubToken?: string | undefined
}): GitCredentials {
  const credentials = new Map<string, GitCredential>()
  if (sources.githubToken !== undefined && sources.githubToken !== '') {
    credentials.set('github.com', parseCredential('GITHUB_TOKEN', { token: sources.githubToken }, '/'))
  }
  if (sources.file === undefined) return credentials
  const { file, text } = sources.file
  for (const [name, value] of Object.entries(parseJson(text))) {
    const host = name.toLowerCase()
    if (!isHostName(host)) throw new Error(`"${name}" is not a host or host:port`)
    credentials.set(host, parseCredential(`"${name}"`, value, path.dirname(path.resolve(file))))
  }
  return credentials
}

/** `host` or `host:port`, in lower case. */
export function isHostName(text: string): boolean {
  return /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.test(text)
}

function parseJson(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text.
    throw new Error('no valid JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('no JSON object of host → credentials')
  }
  return value
}

const FIELDS = ['token', 'username', 'password', 'sshKeyFile', 'knownHostsFile'] as const

function parseCredential(where: string, value: unknown, base: string): GitCredential {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where} must be an object`)
  const given: Partial<Record<(typeof FIELDS)[number], string>> = {}
  for (const [name, text] of Object.entries(value)) {
    const field = FIELDS.find((field) => field === name)
    if (field === undefined) throw new Error(`${where} has an unknown field; known: ${FIELDS.join(', ')}`)
    // oxlint-disable-next-line no-control-regex
    if (typeof text !== 'string' || text === '' || /[\0-\x1f\x7f]/.test(text)) {
      throw new Error(`${where}: "${field}" must be a text without control characters`)
    }
    given[field] = text
  }
  const { token, username, password, sshKeyFile, knownHostsFile } = given
  if (token !== undefined && password !== undefined) throw new Error(`${where} has both "token" and "password"`)
  if (password !== undefined && username === undefined) throw new Error(`${where} has "password" without "username"`)
  const secret = token ?? password
  if (secret === undefined && sshKeyFile === undefined) {
    throw new Error(`${where} needs "token", "username" and "password", or "sshKeyFile"`)
  }
  return {
    ...(secret === undefined ? {} : { username: username ?? 'x-access-token', password: secret }),
    ...(sshKeyFile === undefined ? {} : { sshKeyFile: path.resolve(base, sshKeyFile) }),
    ...(knownHostsFile === undefined ? {} : { knownHostsFile: path.resolve(base, knownHostsFile) }),
  }
}
