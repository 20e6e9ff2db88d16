import { join, resolve } from 'node:path'
import { completeRules } from '@opencode-gateway/contracts'
import { readDocker } from './docker.ts'
import type { Environment, Reader } from './reader.ts'
import type { Secrets } from './secrets.ts'
import type { Surroundings } from './surroundings.ts'
import { variables } from './variables.ts'

const RUN_TIMEOUT_MS = 300_000
const SESSION_TIMEOUT_MS = 3_600_000

/** Everything the gateway is told, complete and without a secret: it may be logged. */
export type Config = ReturnType<typeof readConfig>

export function readConfig(env: Environment, reader: Reader, { cwd, home }: Surroundings, secrets: Secrets) {
  const { read } = reader
  const shared = env.XDG_DATA_HOME?.trim() || join(home, '.local', 'share')
  const dataDir = resolve(cwd, read(variables.dataDir) ?? join(shared, 'opencode-gateway'))
  const limitMs = read(variables.executionTimeMs)
  const executor = read(variables.serverEnabled) ? read(variables.executor) : ('docker' as const)
  const serverUrl = executor === 'server' ? read(variables.serverUrl) : undefined
  const maxConcurrentRuns = read(variables.maxConcurrentSessions)
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
    docker: readDocker(reader, env, maxConcurrentRuns),
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
      providerLimits: {
        maxProviders: read(variables.maxProviders),
        keptVersions: read(variables.keptProviderVersions),
      },
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
    permissions: completeRules(read(variables.permissions)),
    limits: {
      /** What a workspace may hold. */
      workspace: { maxBytes: read(variables.maxWorkspaceBytes), maxFiles: read(variables.maxWorkspaceFiles) },
      maxRequestBytes: read(variables.maxRequestBytes),
      maxFileBytes: read(variables.maxFileBytes),
      maxArchiveBytes: read(variables.maxArchiveBytes),
      maxPromptCharacters: read(variables.maxPromptCharacters),
      maxConcurrentRuns,
      maxQueuedRuns: read(variables.maxQueuedRuns),
      maxQueuedRunsOfSession: read(variables.maxQueuedRunsOfSession),
      maxQueuedRunsOfTenant: read(variables.maxQueuedRunsOfTenant),
      runTimeoutMs: limitMs ?? RUN_TIMEOUT_MS,
      sessionTimeoutMs: limitMs ?? SESSION_TIMEOUT_MS,
      startTimeoutMs: read(variables.startTimeoutMs),
      idleTimeoutMs: read(variables.idleTimeoutMs),
      askTimeoutMs: read(variables.askTimeoutMs),
      maxModelCalls: read(variables.maxModelCalls),
      runBudget: read(variables.runBudget) ?? {},
      raisableTo: { ...read(variables.runBudget), ...read(variables.runBudgetRaise) },
      budgetAsk: read(variables.budgetAsk),
      sessionBudget: read(variables.sessionBudget) ?? {},
      dayBudget: read(variables.dayBudget) ?? {},
      maxOutputBytes: read(variables.maxOutputBytes),
      cancelGraceMs: read(variables.cancelGraceMs),
      maxEventLoopDelayMs: read(variables.maxEventLoopDelayMs),
    },
    rateLimit: { max: read(variables.rateLimitMax), windowMs: read(variables.rateLimitWindowMs) },
    streams: {
      maxPerKey: read(variables.maxStreamsPerKey),
      tokenLifetimeMs: read(variables.streamTokenLifetimeMs),
      heartbeatMs: read(variables.heartbeatMs),
      stallMs: read(variables.streamStallMs),
    },
    eventRetentionMs: read(variables.eventRetentionMs),
    /** Unless a session says otherwise. */
    workspaceRetentionMs: read(variables.workspaceRetentionMs),
    sessionRetentionMs: read(variables.sessionRetentionMs),
    usageRetentionMs: read(variables.usageRetentionMs),
    shutdownGraceMs: read(variables.shutdownGraceMs),
    crashAt: read(variables.crashAt),
  }
}
