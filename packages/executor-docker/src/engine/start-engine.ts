import { ExecutorError } from '@opencode-gateway/contracts'
import type { ContainerResources, Log, PermissionRules } from '@opencode-gateway/contracts'
import { composeEngineConfig, createEngineClient } from '@opencode-gateway/opencode'
import type { EngineConfig, EngineLimits } from '@opencode-gateway/opencode'
import { superviseContainer } from '../container/container-engine.ts'
import type { ContainerEngine } from '../container/container-engine.ts'
import { containerName } from '../container/container-spec.ts'
import type { ContainerSpecOptions } from '../container/container-spec.ts'
import type { Daemon } from '../daemon/daemon.ts'
import type { Discarded } from '../container/discard.ts'
import { connectToEngine } from './engine-socket.ts'
import { findContainer, launchContainer, socketOf } from '../container/launch-container.ts'
import type { RunningContainer } from '../container/launch-container.ts'
import { openModelsSocket } from './models-socket.ts'
import type { ModelsSocket, OpenModels } from '../options.ts'
import { inside } from '../container/inside.ts'
import { lowered } from '../container/own-limits.ts'
import type { PlaceDirectories, Places } from '../session-place.ts'
import type { WarmContainer } from '../warm/warm-pool.ts'

/** Where a container finds its way to the models, which asks for no key: whoever comes that way is the session. */
const MODELS = 'http://127.0.0.1:4010'

export interface EngineStarterOptions {
  daemon: Daemon
  places: Places
  log: Log
  /** What the containers of all sessions have in common; known once the executor has started. */
  spec(): Pick<ContainerSpecOptions, 'image' | 'user' | 'network' | 'runtime' | 'limits' | 'owner'>
  /** What a session has less than all have. */
  ownLimits(sessionId: string): ContainerResources | undefined
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
  /** Providers of which its own catalogue alone knows the models. */
  readonly catalogued: readonly string[]
  /** One that is nobody's, in directories of its own, seen to make sessions. */
  warm(id: string, directories: PlaceDirectories, onGone: () => void, signal: AbortSignal): Promise<WarmContainer>
  /** One that was warm and is the session's by now, whose workspace is filled. */
  take(
    sessionId: string,
    container: RunningContainer,
    onGone: () => void,
    signal: AbortSignal,
  ): Promise<ContainerEngine>
  start(sessionId: string, onGone: () => void, signal: AbortSignal): Promise<ContainerEngine>
  find(sessionId: string, onGone: () => void, signal: AbortSignal): Promise<ContainerEngine | undefined>
}

export function createEngineStarter(options: EngineStarterOptions): EngineStarter {
  const { daemon, places, log, permissions } = options
  const { config, selfContained, catalogued } = composeEngineConfig({
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
    const name = containerName(owner, (await places.madeAs(sessionId)) ?? sessionId)
    // The start that made it was given up, and who takes it over would lose it.
    if (options.isDiscarded(name)) return undefined
    const container = await findContainer(daemon, { owner, name, sockets }, signal)
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

  const launch = async (sessionId: string, directories: PlaceDirectories, signal: AbortSignal) => {
    const common = options.spec()
    const limits = lowered(common.limits, options.ownLimits(sessionId))
    return await launchContainer(
      { ...options, spec: { ...common, limits, sessionId, directories }, environment },
      signal,
    )
  }

  return {
    catalogued,
    find,
    async warm(id, directories, onGone, signal) {
      const container = await launch(id, directories, signal)
      try {
        const models = { close: () => Promise.resolve() }
        const engine = await supervise({ sessionId: id, container, models, isNew: true }, onGone, signal)
        await engine.client.probe(inside.workspace, signal)
        return { container, engine, image: options.spec().image }
      } catch (error) {
        await options.discard(container.id)
        throw error
      }
    },
    async take(sessionId, container, onGone, signal) {
      const { models: directory, sockets } = places.of(sessionId)
      container.steps?.begin()
      await places.share(sessionId)
      const models = await openModelsSocket(options.openModels, { sessionId, directory }, signal)
      try {
        const moved = { ...container, engineSocket: socketOf(sockets) }
        return await supervise({ sessionId, container: moved, models, isNew: true }, onGone, signal)
      } catch (error) {
        await models.close()
        throw error
      }
    },
    async start(sessionId, onGone, signal) {
      const found = await find(sessionId, onGone, signal)
      if (found) return found
      const former = await places.madeAs(sessionId)
      // Under another name than the one to come: the daemon would not see to it that there is one alone.
      if (former !== undefined) await daemon.remove(containerName(options.spec().owner, former), signal)
      const directories = await places.ready(sessionId)
      const models = await openModelsSocket(options.openModels, { sessionId, directory: directories.models }, signal)
      try {
        const container = await launch(sessionId, directories, signal)
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
