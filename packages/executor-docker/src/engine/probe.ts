import { randomUUID } from 'node:crypto'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { Directories } from '@opencode-gateway/workspaces'
import { inside } from '../container/inside.ts'
import { learnCatalogue } from './learn-catalogue.ts'
import type { DockerExecutorOptions } from '../options.ts'
import type { Places } from '../session-place.ts'
import type { EngineStarter } from './start-engine.ts'

export interface ProbeOptions {
  starter: EngineStarter
  places: Places
  directories: Directories
  executor: Pick<DockerExecutorOptions, 'log' | 'onCatalogue' | 'image'>
  /** Why the probe is over when the executor is closed. */
  closed(): ExecutorError
}

/** A container like any other that belongs to no session. */
export interface Probe {
  /** Proves that a container comes up and its engine works: no other look at a daemon tells that. Its engine's version. */
  prove(signal: AbortSignal): Promise<string>
  /** Its session, while its container is there. */
  sessionId(): string | undefined
  /** Settles when its container is gone. */
  close(): Promise<void>
}

export function createProbe({ starter, places, directories, executor, closed }: ProbeOptions): Probe {
  const { log } = executor
  const closing = new AbortController()
  let probing: string | undefined
  let learning: Promise<void> = Promise.resolve()

  async function prove(signal: AbortSignal): Promise<string> {
    const probeId = `probe-${randomUUID()}`
    const free = async (): Promise<void> => {
      await places.remove(probeId)
      await directories.remove(probeId)
    }
    try {
      await directories.create(probeId)
      const { client, end } = await starter
        .start(probeId, () => {}, { signal })
        .catch((error: unknown) => {
          throw misfit(error, executor.image)
        })
      const over = (): Promise<void> => end(new ExecutorError('ENGINE_LOST', 'the probe is over')).finally(free)
      try {
        await client.probe(inside.workspace, signal)
        const { version } = await client.handshake(signal)
        // Nobody waits for it: an engine that takes in its whole catalogue may need seconds.
        probing = probeId
        learning = learnCatalogue({ client, options: executor, catalogued: starter.catalogued, signal: closing.signal })
          .then(over)
          .catch((err: unknown) => log.error({ err }, 'the container of the probe could not be ended'))
          .finally(() => (probing = undefined))
        if (starter.catalogued.length === 0) await learning
        return version
      } catch (error) {
        await over()
        throw error
      }
    } catch (error) {
      await free()
      throw error
    }
  }

  return {
    prove,
    sessionId: () => probing,
    async close() {
      closing.abort(closed())
      await learning
    },
  }
}

/** Which image has an engine that we cannot drive. */
function misfit(error: unknown, image: string): unknown {
  if (!(error instanceof ExecutorError) || error.code !== 'ENGINE_INCOMPATIBLE') return error
  const text = `the engine image "${image}" does not fit: ${error.message}; set OPENCODE_IMAGE to one that does`
  return new ExecutorError('ENGINE_INCOMPATIBLE', text, { cause: error })
}
