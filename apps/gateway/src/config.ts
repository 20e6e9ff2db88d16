import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { isLoopback } from './config/addresses.ts'
import { imageProblems, readDocker } from './config/docker.ts'
import { readKeysFile, singleKey, type ApiKey } from './config/api-keys.ts'
import { obstacles } from './config/obstacles.ts'
import type { ConfigProblem } from './config/problem.ts'
import { readProviderKeys } from './config/providers.ts'
import { createReader, type Environment, type Reader } from './config/reader.ts'
import { findObstacle, projectAbove, type Surroundings } from './config/surroundings.ts'
import { unknownNames } from './config/unknown-names.ts'
import { variables } from './config/variables.ts'
import { parseGitCredentials, type GitCredentials } from '@opencode-gateway/workspaces'
import { createSealing, type Sealing } from '@opencode-gateway/sealing'
import { completePolicy } from './policy.ts'

const RUN_TIMEOUT_MS = 300_000
const SESSION_TIMEOUT_MS = 3_600_000

/** Everything the gateway is told, complete and without a secret: it may be logged. */
export type Config = ReturnType<typeof readConfig>

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

export type ReadEnv =
  | { status: 'ok'; config: Config; secrets: Secrets; warnings: readonly string[] }
  | { status: 'invalid'; problems: readonly ConfigProblem[]; warnings: readonly string[] }

/** The whole configuration, frozen, or everything that is wrong with it at once. */
export function readEnv(env: Environment, surroundings: Surroundings): ReadEnv {
  const reader = createReader(env)
  const secrets = readSecrets(env, reader, surroundings)
  const config = readConfig(env, reader, surroundings, secrets)
  const problems = [...reader.problems, ...contradictions(config, secrets, surroundings)]
  const warnings = [...unknownNames(env), ...unused(config, secrets, env)]
  if (problems.length > 0) return { status: 'invalid', problems, warnings }
  return { status: 'ok', config: freeze(config), secrets: Object.freeze(secrets), warnings }
}

/** `readEnv` of this process on this machine. */
export function readProcessEnv(): ReadEnv {
  return readEnv(process.env, {
    cwd: process.cwd(),
    home: homedir(),
    readText: (path) => readFileSync(path, 'utf8'),
    exists: existsSync,
    obstacle: findObstacle,
  })
}

function readConfig(env: Environment, reader: Reader, { cwd, home }: Surroundings, secrets: Secrets) {
  const { read } = reader
  const shared = env.XDG_DATA_HOME?.trim() || join(home, '.local', 'share')
  const dataDir = resolve(cwd, read(variables.dataDir) ?? join(shared, 'opencode-gateway'))
  const limitMs = read(variables.executionTimeMs)
  const executor = read(variables.serverEnabled) ? read(variables.executor) : ('docker' as const)
  const serverUrl = executor === 'server' ? read(variables.serverUrl) : undefined
  const asked = [
    secrets.authJson,
    secrets.authToken,
    secrets.configJson,
    serverUrl,
    ...Object.values(secrets.providerKeys),
  ]
  return {
    host: read(variables.host),
    port: read(variables.port),
    metricsPort: read(variables.metricsPort),
    modelProxyPort: read(variables.modelProxyPort),
    logLevel: read(variables.logLevel),
    allowUnauthenticated: read(variables.allowUnauthenticated),
    dataDir,
    workspaceRoot: resolve(cwd, read(variables.workspaceRoot) ?? join(dataDir, 'workspaces')),
    /** Search path for the tools of an engine of our own. */
    path: env.PATH ?? '',
    executor,
    docker: readDocker(reader, env),
    server: {
      url: serverUrl,
      username: read(variables.serverUsername),
      healthCheckIntervalMs: read(variables.healthCheckIntervalMs),
      maxRetries: read(variables.maxRetries),
      retryDelayMs: read(variables.retryDelayMs),
    },
    /** When another engine takes the place of one of our own. */
    recycle: {
      maxRssBytes: read(variables.engineMaxRssBytes),
      maxAgeMs: read(variables.engineMaxAgeMs),
      maxDirectories: read(variables.engineMaxDirectories),
    },
    model: {
      default: read(variables.model),
      endpointHosts: read(variables.modelEndpointHosts) ?? [],
      /** Nothing leads to a real model: the built-in scripted one answers. */
      scripted: asked.every((value) => value === undefined),
      /** Variables of providers that are set. */
      providers: Object.keys(secrets.providerKeys),
    },
    git: {
      allowedHosts: read(variables.gitAllowedHosts),
      allowFile: read(variables.gitAllowFile),
      author: { name: read(variables.gitAuthorName), email: read(variables.gitAuthorEmail) },
      cloneTimeoutMs: read(variables.cloneTimeoutMs),
      pushTimeoutMs: read(variables.pushTimeoutMs),
      maxBytes: read(variables.maxWorkspaceBytes),
      mirrors: { maxBytes: read(variables.mirrorBytes), maxAgeMs: read(variables.mirrorAgeMs) },
      pullRequests: { githubApi: read(variables.githubApi) ?? {}, gitlabApi: read(variables.gitlabApi) ?? {} },
    },
    /** Runs of a session whose work is remembered. */
    maxCheckpoints: read(variables.maxCheckpoints),
    /** What the agent may do at most, whatever a request says. */
    permissions: completePolicy(read(variables.permissions)),
    limits: {
      /** What a workspace may hold. */
      workspace: { maxBytes: read(variables.maxWorkspaceBytes), maxFiles: read(variables.maxWorkspaceFiles) },
      maxRequestBytes: read(variables.maxRequestBytes),
      maxFileBytes: read(variables.maxFileBytes),
      maxArchiveBytes: read(variables.maxArchiveBytes),
      maxPromptCharacters: read(variables.maxPromptCharacters),
      maxConcurrentRuns: read(variables.maxConcurrentSessions),
      maxQueuedRuns: read(variables.maxQueuedRuns),
      runTimeoutMs: limitMs ?? RUN_TIMEOUT_MS,
      sessionTimeoutMs: limitMs ?? SESSION_TIMEOUT_MS,
      startTimeoutMs: read(variables.startTimeoutMs),
      idleTimeoutMs: read(variables.idleTimeoutMs),
      askTimeoutMs: read(variables.askTimeoutMs),
      maxModelCalls: read(variables.maxModelCalls),
      runBudget: read(variables.runBudget) ?? {},
      sessionBudget: read(variables.sessionBudget) ?? {},
      dayBudget: read(variables.dayBudget) ?? {},
      maxOutputBytes: read(variables.maxOutputBytes),
      cancelGraceMs: read(variables.cancelGraceMs),
      maxEventLoopDelayMs: read(variables.maxEventLoopDelayMs),
    },
    rateLimit: { max: read(variables.rateLimitMax), windowMs: read(variables.rateLimitWindowMs) },
    streams: {
      maxPerKey: read(variables.maxStreamsPerKey),
      heartbeatMs: read(variables.heartbeatMs),
      stallMs: read(variables.streamStallMs),
    },
    eventRetentionMs: read(variables.eventRetentionMs),
    /** Unless a session says otherwise. */
    workspaceRetentionMs: read(variables.workspaceRetentionMs),
    sessionRetentionMs: read(variables.sessionRetentionMs),
    shutdownGraceMs: read(variables.shutdownGraceMs),
    crashAt: read(variables.crashAt),
  }
}

function readSecrets(env: Environment, reader: Reader, surroundings: Surroundings): Secrets {
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

/** What each variable alone does not show. */
function contradictions(config: Config, secrets: Secrets, surroundings: Surroundings): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (config.executor === 'docker') {
    problems.push(...imageProblems(config.docker))
    if (secrets.authToken !== undefined) {
      problems.push({
        name: variables.authToken.name,
        got: 'a secret',
        expected: 'nothing with EXECUTOR=docker',
        consequence: 'every agent could read it in its container',
      })
    }
  }
  if (secrets.keys.length === 0 && !isLoopback(config.host) && !config.allowUnauthenticated) {
    problems.push({
      name: 'HOST',
      got: JSON.stringify(config.host),
      expected: 'API_KEY or API_KEYS_FILE to be set, or a loopback address, or ALLOW_UNAUTHENTICATED=true',
      consequence: 'everybody who reaches the port could run commands on this machine',
    })
  }
  if (config.metricsPort !== undefined && config.metricsPort === config.port && config.port !== 0) {
    problems.push({
      name: 'METRICS_PORT',
      got: String(config.metricsPort),
      expected: 'another port than PORT, or no METRICS_PORT to have /metrics on PORT',
      consequence: 'two listeners cannot have one port',
    })
  }
  problems.push(...obstacles(config, surroundings))
  const project = projectAbove(config.workspaceRoot, surroundings)
  if (project !== undefined) {
    problems.push({
      name: 'WORKSPACE_ROOT',
      got: `${JSON.stringify(config.workspaceRoot)}, which is inside the project of ${JSON.stringify(project)}`,
      expected: 'a directory with no .git and no AGENTS.md in it or above it',
      consequence: 'the engine would take that project for the workspace and let the agent write anywhere in it',
    })
  }
  return problems
}

function unused({ executor, server }: Config, secrets: Secrets, env: Environment): string[] {
  const { name } = variables.serverUrl
  if (executor === 'docker' && env[name]) return [`${name} is not used: with EXECUTOR=docker engines are in containers`]
  if (server.url === undefined) return []
  const given = [
    ...(secrets.configJson === undefined ? [] : [variables.configJson.name]),
    ...(secrets.authJson === undefined ? [] : [variables.authJson.name]),
    ...(secrets.authToken === undefined ? [] : [variables.authToken.name]),
    ...Object.keys(secrets.providerKeys),
    ...[variables.engineMaxRssBytes, variables.engineMaxAgeMs, variables.engineMaxDirectories]
      .map(({ name }) => name)
      .filter((name) => env[name] !== undefined),
  ]
  return given.map((name) => `${name} is not used: the engine at OPENCODE_SERVER_URL has its own configuration`)
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part)
  return Object.freeze(value)
}
