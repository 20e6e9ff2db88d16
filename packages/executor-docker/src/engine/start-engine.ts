import { ExecutorError } from '@opencode-gateway/contracts'
import { composeEngineConfig } from '@opencode-gateway/opencode'
import type { EngineConfig } from '@opencode-gateway/opencode'
import { createBootSteps } from '../container/boot-steps.ts'
import type { BootSteps } from '../container/boot-steps.ts'
import type { ContainerEngine } from '../container/container-engine.ts'
import { containerName } from '../container/container-spec.ts'
import type { ContainerSpecOptions } from '../container/container-spec.ts'
import { findContainer, launchContainer, socketOf } from '../container/launch-container.ts'
import type { RunningContainer } from '../container/launch-container.ts'
import { egressEnvironment } from '../container/egress-environment.ts'
import { openWaysOut, type WaysOutOptions } from './ways-out.ts'
import { whileWanted } from './start-call.ts'
import type { StartCall } from './start-call.ts'
import type { StartTurns } from './start-turns.ts'
import { createEngineSupervision, type EngineSupervisionOptions } from './supervise-engine.ts'
import { inside } from '../container/inside.ts'
import { lowered } from '../container/own-limits.ts'
import type { PlaceDirectories, Places } from '../session-place.ts'
import type { WarmContainer } from '../warm/warm-pool.ts'

/** Where a container finds its way to the models, which asks for no key: whoever comes that way is the session. */
const MODELS = 'http://127.0.0.1:4010'

export interface EngineStarterOptions extends EngineSupervisionOptions, WaysOutOptions {
  places: Places
  /** What the containers of all sessions have in common; known once the executor has started. */
  spec(): Pick<ContainerSpecOptions, 'image' | 'user' | 'network' | 'runtime' | 'limits' | 'owner'>
  config: EngineConfig
  providers: readonly string[]
  turns: StartTurns
  /** Has the image again that has gone, where it can be had. IMAGE_UNAVAILABLE. */
  renewImage(signal: AbortSignal): Promise<void>
  /** Once it is its turn. */
  startTimeoutMs: number
  /** Whether a container of this name is to go. */
  isDiscarded(name: string): boolean
}

/** Starts engines in containers, and finds those that run. */
export interface EngineStarter {
  /** Providers of which its own catalogue alone knows the models. */
  readonly catalogued: readonly string[]
  /** One that is nobody's, in directories of its own, seen to make sessions. Waits for its turn after all sessions. */
  warm(id: string, directories: PlaceDirectories, onGone: () => void, signal: AbortSignal): Promise<WarmContainer>
  /** One that was warm and is the session's by now, whose workspace is filled. */
  take(
    sessionId: string,
    container: RunningContainer,
    onGone: () => void,
    signal: AbortSignal,
  ): Promise<ContainerEngine>
  /** Waits for its turn. */
  start(sessionId: string, onGone: () => void, call: StartCall): Promise<ContainerEngine>
  find(sessionId: string, onGone: () => void, signal: AbortSignal): Promise<ContainerEngine | undefined>
}

export function createEngineStarter(options: EngineStarterOptions): EngineStarter {
  const { daemon, places, log, permissions, turns } = options
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
    ...(options.openEgress ? egressEnvironment : {}),
  }

  const supervise = createEngineSupervision(options)

  const find: EngineStarter['find'] = async (sessionId, onGone, signal) => {
    const { sockets, models: directory } = places.of(sessionId)
    const { owner } = options.spec()
    const name = containerName(owner, (await places.madeAs(sessionId)) ?? sessionId)
    // The start that made it was given up, and who takes it over would lose it.
    if (options.isDiscarded(name)) return undefined
    const container = await findContainer(daemon, { owner, name, sockets }, signal)
    if (!container) return undefined
    const ways = await openWaysOut(options, { sessionId, directory }, signal)
    try {
      return await supervise({ sessionId, container, ways, isNew: false }, onGone, signal)
    } catch (err) {
      await ways.close()
      signal.throwIfAborted()
      // Whatever the agent has done to it: the conversation goes on in another container.
      log.error({ sessionId, containerId: container.id, err }, 'the engine of a container cannot be used; it is ended')
      await options.discard(container.id)
      return undefined
    }
  }

  const launch = async (
    sessionId: string,
    { directories, steps }: { directories: PlaceDirectories; steps: BootSteps },
    signal: AbortSignal,
  ) => {
    const attempt = async () => {
      const common = options.spec()
      const limits = lowered(common.limits, options.ownLimits(sessionId))
      const spec = { ...common, limits, sessionId, directories }
      return await launchContainer({ ...options, spec, environment, steps }, signal)
    }
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof ExecutorError) || error.code !== 'IMAGE_UNAVAILABLE') throw error
      await options.renewImage(signal)
      steps.done('pullMs')
      return await attempt()
    }
  }

  const launchInPlace = async (
    sessionId: string,
    onGone: () => void,
    { steps, signal }: { steps: BootSteps; signal: AbortSignal },
  ): Promise<ContainerEngine> => {
    const directories = await places.ready(sessionId)
    const ways = await openWaysOut(options, { sessionId, directory: directories.models }, signal)
    try {
      const container = await launch(sessionId, { directories, steps }, signal)
      try {
        return await supervise({ sessionId, container, ways, isNew: true }, onGone, signal)
      } catch (error) {
        await options.discard(container.id)
        throw error
      }
    } catch (error) {
      await ways.close()
      throw error
    }
  }

  return {
    catalogued,
    find,
    async warm(id, directories, onGone, signal) {
      const done = await turns.take('warm', { signal })
      try {
        const container = await launch(id, { directories, steps: createBootSteps() }, signal)
        try {
          const ways = { close: () => Promise.resolve() }
          const engine = await supervise({ sessionId: id, container, ways, isNew: true }, onGone, signal)
          await engine.client.probe(inside.workspace, signal)
          return { container, engine, image: options.spec().image }
        } catch (error) {
          await options.discard(container.id)
          throw error
        }
      } finally {
        done()
      }
    },
    async take(sessionId, container, onGone, signal) {
      const { models: directory, sockets } = places.of(sessionId)
      container.steps?.begin()
      await places.share(sessionId)
      const ways = await openWaysOut(options, { sessionId, directory }, signal)
      try {
        const moved = { ...container, engineSocket: socketOf(sockets) }
        return await supervise({ sessionId, container: moved, ways, isNew: true }, onGone, signal)
      } catch (error) {
        await ways.close()
        throw error
      }
    },
    async start(sessionId, onGone, call) {
      const { signal, onWaiting } = call
      const found = await find(sessionId, onGone, signal)
      if (found) return found
      const steps = createBootSteps()
      const done = await turns.take('session', { signal: whileWanted(call), onWaiting })
      steps.done('waitMs')
      try {
        const former = await places.madeAs(sessionId)
        // Under another name than the one to come: the daemon would not see to it that there is one alone.
        if (former !== undefined) await daemon.remove(containerName(options.spec().owner, former), signal)
        return await launchInPlace(sessionId, onGone, { steps, signal })
      } finally {
        done()
      }
    },
  }
}
