import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log, PermissionRules } from '@opencode-gateway/contracts'
import { createEngineClient } from '@opencode-gateway/opencode'
import type { EngineLimits } from '@opencode-gateway/opencode'
import { superviseContainer } from '../container/container-engine.ts'
import type { ContainerEngine } from '../container/container-engine.ts'
import type { Discarded } from '../container/discard.ts'
import type { RunningContainer } from '../container/launch-container.ts'
import type { Daemon } from '../daemon/daemon.ts'
import type { SessionSocket } from '../options.ts'
import { connectToEngine } from './engine-socket.ts'

export interface EngineSupervisionOptions {
  daemon: Daemon
  log: Log
  permissions: PermissionRules
  engineLimits: Partial<EngineLimits>
  /** How long the end of a container may take. */
  endTimeoutMs: number
  discard: Discarded['discard']
}

/** A container in which an engine came up. */
export interface Started {
  sessionId: string
  container: RunningContainer
  /** Nobody had it before. */
  isNew: boolean
  ways: SessionSocket
}

/** Makes sure that the engine of a container is one that we can drive, and watches over both from then on. */
export type SuperviseEngine = (started: Started, onGone: () => void, signal: AbortSignal) => Promise<ContainerEngine>

export function createEngineSupervision(options: EngineSupervisionOptions): SuperviseEngine {
  const { daemon, log, permissions } = options

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

  return async ({ sessionId, container, isNew, ways }, onGone, signal) => {
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
      free: () => ways.close(),
    })
    ending.end = (why) => engine.end(new ExecutorError('ENGINE_LOST', why))
    return engine
  }
}
