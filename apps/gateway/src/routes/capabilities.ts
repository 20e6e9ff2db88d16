import { Capabilities, type ExecutorHealth } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import type { Config } from '../config.ts'
import { engineHealth } from '../start/engine-health.ts'
import { mostResources } from '../orders/container-resources.ts'
import type { RouteOptions } from './route-options.ts'

/** Longest wait for what the engine says of itself, milliseconds. */
const ENGINE_DEADLINE_MS = 5000
/** How long that is taken for true, milliseconds. */
const ENGINE_KNOWN_MS = 10_000

const schema = {
  operationId: 'capabilities',
  tags: ['gateway'],
  summary: 'What this gateway can do, and its limits',
  response: { 200: json(ref(Capabilities), 'Executor, engine, model, limits.'), ...problems() },
}

export interface CapabilityOptions extends RouteOptions {
  version: string
  directProviders: readonly string[]
}

export const capabilityRoutes: FastifyPluginAsyncTypebox<CapabilityOptions> = async (app, options) => {
  const { version, directProviders, config, executor, startup } = options
  const { limits, model, streams, eventRetentionMs } = config

  let known: { at: number; engine: Promise<ExecutorHealth['engine']> } | undefined

  async function askEngine(): Promise<ExecutorHealth['engine']> {
    return (await engineHealth({ executor, startup, deadlineMs: ENGINE_DEADLINE_MS }))?.engine
  }

  /** The check makes a session in the engine; what it says of the engine seldom changes. */
  async function engine(): Promise<ExecutorHealth['engine']> {
    if (startup().status !== 'started') return undefined
    const at = performance.now()
    if (known === undefined || at - known.at > ENGINE_KNOWN_MS) known = { at, engine: askEngine() }
    return known.engine
  }

  app.get('/capabilities', { schema }, async () => {
    const { isolation, shell, followUps, survivesRestart, options: honoured } = executor.capabilities
    const { version: engineVersion = null, mode = usualMode(config), image } = (await engine()) ?? {}
    return {
      version,
      executor: {
        name: executor.name,
        isolation,
        shell,
        follow_ups: followUps,
        fork: executor.fork !== undefined,
        survives_restart: survivesRestart,
        options: [...honoured],
      },
      engine: { name: 'opencode' as const, version: engineVersion, mode, ...(image === undefined ? {} : { image }) },
      model: { default: model.default ?? null, scripted: model.scripted, direct_providers: [...directProviders] },
      limits: {
        max_request_bytes: limits.maxRequestBytes,
        max_prompt_characters: limits.maxPromptCharacters,
        max_concurrent_sessions: limits.maxConcurrentRuns,
        max_queued_runs: limits.maxQueuedRuns,
        max_queued_runs_per_session: limits.maxQueuedRunsOfSession,
        run_timeout_seconds: limits.runTimeoutMs / 1000,
        session_timeout_seconds: limits.sessionTimeoutMs / 1000,
        ...(config.executor === 'docker' ? { container: containerLimits(config) } : {}),
      },
      sessions: {
        retention_seconds: config.workspaceRetentionMs / 1000,
        forgotten_after_seconds: config.sessionRetentionMs / 1000,
      },
      events: { retention_seconds: eventRetentionMs / 1000, heartbeat_seconds: streams.heartbeatMs / 1000 },
    }
  })
}

function containerLimits(config: Config) {
  const { memoryBytes, cpus, pids, diskBytes, egress } = mostResources(config)
  return { memory_bytes: memoryBytes, cpus, pids, disk_bytes: diskBytes, egress: [...egress] }
}

/** For as long as the engine has not said. */
function usualMode({ executor, server }: Pick<Config, 'executor' | 'server'>) {
  if (executor === 'docker') return 'container' as const
  return server.url === undefined ? ('embedded' as const) : ('remote' as const)
}
