import { join } from 'node:path'
import type { EngineModels, Executor, Log, PermissionRules } from '@opencode-gateway/contracts'
import type { OpenEgress, OpenSocket } from '@opencode-gateway/executor-docker'
import { createServerExecutor, providerOfVariable, providerVariables } from '@opencode-gateway/executor-server'
import type { WorkspacesOptions } from '@opencode-gateway/workspaces'
import type { DockerConfig } from './config/docker.ts'
import type { EngineSettings } from './settings/engine-settings.ts'

export { providerOfVariable, providerVariables }

/** What executors are made from; each takes what it needs. */
export interface ExecutorSettings {
  dataDir: string
  workspaceRoot: string
  workspaces: Omit<WorkspacesOptions, 'directories'>
  /** Search path of the engine and its tools. */
  path: string
  server: {
    url: string | undefined
    username: string
    healthCheckIntervalMs: number
    maxRetries: number
    retryDelayMs: number
  }
  /** What the agent may do at most. */
  permissions: PermissionRules
  /** When another engine takes the place of one of our own. */
  recycle: { maxRssBytes: number; maxAgeMs: number; maxDirectories: number }
  /** How long a cancel may take. */
  cancelGraceMs: number
  /** For an engine of our own. */
  engine: EngineSettings & {
    models: EngineModels
    /** The way of one session's engine to the providers of these names. */
    openModels: OpenSocket
    /** The way of one session's container to other hosts, where there is one. */
    openEgress: OpenEgress | undefined
    providers: readonly string[]
  }
  docker: Omit<DockerConfig, 'mustBePinned'>
  secrets: { serverPassword: string | undefined }
  log: Log
}

/** Every executor there is, by its name in EXECUTOR. What only one of them needs is loaded with it. */
export const executors: Readonly<
  Record<'docker' | 'server', (settings: ExecutorSettings) => Executor | Promise<Executor>>
> = {
  server: ({ server, secrets, path, dataDir, recycle, engine, ...common }) =>
    createServerExecutor({
      ...common,
      healthIntervalMs: server.healthCheckIntervalMs,
      maxRetries: server.maxRetries,
      retryDelayMs: server.retryDelayMs,
      ...(server.url === undefined
        ? {
            embedded: {
              stateDir: join(dataDir, 'engine'),
              path,
              recycle,
              ...engine,
            },
          }
        : { remote: { url: server.url, username: server.username, password: secrets.serverPassword ?? '' } }),
    }),
  docker: async ({ docker, engine, log, workspaceRoot, workspaces, permissions, cancelGraceMs }) => {
    const { createDockerExecutor } = await import('@opencode-gateway/executor-docker')
    const { runtime, user, egress: _, ...rest } = docker
    return createDockerExecutor({
      ...rest,
      ...(runtime === undefined ? {} : { runtime }),
      ...(user === undefined ? {} : { user }),
      log,
      workspaceRoot,
      workspaces,
      permissions,
      cancelGraceMs,
      config: engine.config,
      providers: engine.providers,
      openModels: engine.openModels,
      openEgress: engine.openEgress,
      onCatalogue: engine.models.know,
    })
  },
}
