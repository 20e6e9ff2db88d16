import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log, PermissionRules } from '@opencode-gateway/contracts'
import { composeEngineConfig, createEngineClient } from '@opencode-gateway/opencode'
import type { EngineConfig, EngineLimits } from '@opencode-gateway/opencode'
import { superviseContainer } from './container-engine.ts'
import type { ContainerEngine } from './container-engine.ts'
import { containerName } from './container-spec.ts'
import type { ContainerSpecOptions } from './container-spec.ts'
import type { Daemon } from './daemon.ts'
import type { Discarded } from './discard.ts'
import { connectToEngine } from './engine-socket.ts'
import { findContainer, launchContainer } from './launch-container.ts'
import type { RunningContainer } from './launch-container.ts'
import { openModelsSocket } from './models-socket.ts'
import type { ModelsSocket, OpenModels } from './options.ts'
import type { Places } from './session-place.ts'

/** Where a container finds its way to the models, which asks for no key: whoever comes that way is the session. */
const MODELS = 'http://127.0.0.1:4010'

export interface EngineStarterOptions {
  daemon: Daemon
  places: Places
  log: Log
  /** What the containers of all sessions have in common; known once the executor has started. */
  spec(): Pick<ContainerSpecOptions, 'image' | 'user' | 'network' | 'runtime' | 'limits' | 'owner'>
  config: EngineConfig
  providers: readonly string[]
  permissions: PermissionRules
  openModels: OpenModels
  engineLimits: Partial<EngineLimits>
  startTimeoutMs: number
  /** How long the end of a container may take. */
  endTimeoutMs: number
  discard: Discarded['discard']
  /** Whether a container of this name is to go. */
  isDiscarded(name: string): boolean
}

/** Starts engines in containers, and finds those that run. */
export interface EngineStarter {
  start(sessionId: string, onGone: () => void, signal: AbortSignal): Promise<ContainerEngine>
  find(sessionId: string, onGone: () => void, signal: AbortSignal): Promise<ContainerEngine | undefined>
}

export function createEngineStarter(options: EngineStarterOptions): EngineStarter {
  const { daemon, places, log, permissions } = options
  const { config, selfContained } = composeEngineConfig({
    operator: options.config,
    permissions,
    variables: [],
    authProviders: [],
    proxied: Object.fromEntries(
      options.providers.map((name) => [name, { baseURL: `${MODELS}/${name}`, apiKey: 'none' }]),
    ),
  })
  const environment = {
    OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
    // Of the image, unless there are models that only the engine's own catalogue knows.
    ...(selfContained ? {} : { OPENCODE_MODELS_PATH: '' }),
  }

  const connect = (sessionId: string, container: RunningContainer, isNew: boolean) => {
    const ending: { end?: (why: string) => Promise<void> } = {}
    const client = createEngineClient({
      baseUrl: 'http://engine',
      connect: (signal) => connectToEngine(container.engineSocket, signal),
      username: 'opencode',
      password: container.password,
      log,
      permissions,
      configured: true,
      exclusive: isNew,
      limits: options.engineLimits,
      async end(why) {
        log.error({ sessionId, containerId: container.id, why }, 'the engine does not do as it is told; it is ended')
        await ending.end?.(why)
      },
    })
    return { client, ending }
  }

  const supervise = async (
    { sessionId, container, isNew, models }: Started,
    onGone: () => void,
    signal: AbortSignal,
  ): Promise<ContainerEngine> => {
    const { client, ending } = connect(sessionId, container, isNew)
    try {
      const { version } = await client.handshake(signal)
      container.steps?.done('engineReadyMs')
      log.info({ sessionId, containerId: container.id, version }, 'the container is ready')
    } catch (error) {
      await client.close()
      throw error
    }
    const engine = superviseContainer({
      daemon,
      log,
      sessionId,
      client,
      boot: container.steps?.boot,
      async check(signal) {
        // The connections that stand say nothing of the socket.
        const socket = await connectToEngine(container.engineSocket, signal)
        socket.destroy()
        await client.handshake(signal)
      },
      containerId: container.id,
      endTimeoutMs: options.endTimeoutMs,
      onGone,
      discard: options.discard,
      free: () => models.close(),
    })
    ending.end = (why) => engine.end(new ExecutorError('ENGINE_LOST', why))
    return engine
  }

  const find: EngineStarter['find'] = async (sessionId, onGone, signal) => {
    const { sockets, models: directory } = places.of(sessionId)
    const { owner } = options.spec()
    // The start that made it was given up, and who takes it over would lose it.
    if (options.isDiscarded(containerName(owner, sessionId))) return undefined
    const container = await findContainer(daemon, { owner, sessionId, sockets }, signal)
    if (!container) return undefined
    const models = await openModelsSocket(options.openModels, { sessionId, directory }, signal)
    try {
      return await supervise({ sessionId, container, models, isNew: false }, onGone, signal)
    } catch (err) {
      await models.close()
      signal.throwIfAborted()
      // Whatever the agent has done to it: the conversation goes on in another container.
      log.error({ sessionId, containerId: container.id, err }, 'the engine of a container cannot be used; it is ended')
      await options.discard(container.id)
      return undefined
    }
  }

  return {
    find,
    async start(sessionId, onGone, signal) {
      const found = await find(sessionId, onGone, signal)
      if (found) return found
      const spec = options.spec()
      const directories = await places.ready(sessionId)
      const models = await openModelsSocket(options.openModels, { sessionId, directory: directories.models }, signal)
      try {
        const container = await launchContainer(
          { ...options, spec: { ...spec, sessionId, directories }, environment },
          signal,
        )
        try {
          return await supervise({ sessionId, container, models, isNew: true }, onGone, signal)
        } catch (error) {
          await options.discard(container.id)
          throw error
        }
      } catch (error) {
        await models.close()
        throw error
      }
    },
  }
}

interface Started {
  sessionId: string
  container: RunningContainer
  isNew: boolean
  models: ModelsSocket
}
