import { resolve } from 'node:path'
import { createSealing, type Sealing } from '@opencode-gateway/sealing'
import { parseGitCredentials, type GitCredentials } from '@opencode-gateway/workspaces'
import { readKeysFile, singleKey, type ApiKey } from './api-keys.ts'
import { readProviderKeys } from './providers.ts'
import type { Environment, Reader } from './reader.ts'
import type { Surroundings } from './surroundings.ts'
import { variables } from './variables.ts'

/** What must never be logged. Each is added to the one call that needs it. */
export interface Secrets {
  /** Empty: everybody who reaches the port is let in. */
  keys: readonly ApiKey[]
  serverPassword: string | undefined
  authJson: string | undefined
  authToken: string | undefined
  configJson: string | undefined
  /** By host, from GITHUB_TOKEN and GIT_CREDENTIALS_FILE. */
  gitCredentials: GitCredentials
  /** Undefined without ENCRYPTION_KEY. */
  sealing: Sealing | undefined
  /** By the name of their variable. */
  providerKeys: Readonly<Record<string, string>>
}

export function readSecrets(env: Environment, reader: Reader, surroundings: Surroundings): Secrets {
  const { read } = reader
  const single = read(variables.apiKey)
  return {
    keys: [...(single === undefined ? [] : [singleKey(single)]), ...readKeys(reader, surroundings)],
    serverPassword: read(variables.serverPassword),
    authJson: read(variables.authJson),
    authToken: read(variables.authToken),
    configJson: read(variables.configJson),
    gitCredentials: readGitCredentials(reader, surroundings),
    sealing: readSealing(reader),
    providerKeys: readProviderKeys(env),
  }
}

function readGitCredentials({ read, problems }: Reader, { cwd, readText }: Surroundings): GitCredentials {
  const githubToken = read(variables.githubToken)
  const named = read(variables.gitCredentialsFile)
  if (named === undefined) return parseGitCredentials({ githubToken })
  const file = resolve(cwd, named)
  try {
    return parseGitCredentials({ githubToken, file: { file, text: readText(file) } })
  } catch (err) {
    const expected = `a file with credentials (${err instanceof Error ? err.message : String(err)})`
    const { name, consequence } = variables.gitCredentialsFile
    problems.push({ name, got: JSON.stringify(file), expected, consequence })
    return new Map()
  }
}

function readSealing({ read, problems }: Reader): Sealing | undefined {
  const current = read(variables.encryptionKey)
  const previous = read(variables.encryptionKeyPrevious)
  if (current !== undefined) return createSealing({ current, previous })
  if (previous !== undefined && problems.every(({ name }) => name !== variables.encryptionKey.name)) {
    const { name, consequence } = variables.encryptionKeyPrevious
    problems.push({ name, got: 'a key', expected: 'ENCRYPTION_KEY to be set as well', consequence })
  }
  return undefined
}

function readKeys({ read, problems }: Reader, { cwd, readText }: Surroundings): ApiKey[] {
  const file = read(variables.apiKeysFile)
  if (file === undefined) return []
  const path = resolve(cwd, file)
  const refuse = (expected: string) => {
    const { name, consequence } = variables.apiKeysFile
    problems.push({ name, got: JSON.stringify(path), expected, consequence })
    return []
  }
  try {
    const found = readKeysFile(readText(path))
    return 'keys' in found ? found.keys : refuse(found.expected)
  } catch (err) {
    return refuse(`a file that can be read (${err instanceof Error ? err.message : String(err)})`)
  }
}
