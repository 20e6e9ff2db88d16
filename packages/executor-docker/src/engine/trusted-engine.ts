import { performance } from 'node:perf_hooks'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log } from '@opencode-gateway/contracts'
import { withSignal } from '@opencode-gateway/opencode'
import type { ContainerEngine } from '../container/container-engine.ts'

/** Looks at an engine that was without work before it gets some: its agent has had every chance to spoil it. */
export interface TrustedEngine {
  /** It is known to be well now. */
  trust(engine: ContainerEngine): void
  /** Whether it was well a moment ago. */
  isFresh(engine: ContainerEngine): boolean
  /** Whether it can have work; one that does not say that it is well in time is being ended when this settles. */
  isWell(engine: ContainerEngine, signal: AbortSignal): Promise<boolean>
}

export function createTrustedEngine({
  log,
  sessionId,
  timeoutMs,
  freshMs,
}: {
  log: Log
  sessionId: string
  timeoutMs: number
  freshMs: number
}): TrustedEngine {
  let trusted: { engine: ContainerEngine; at: number } | undefined
  let looking: { engine: ContainerEngine; well: Promise<boolean> } | undefined

  const trust = (engine: ContainerEngine): void => {
    trusted = { engine, at: performance.now() }
  }

  const isFresh = (engine: ContainerEngine): boolean =>
    trusted?.engine === engine && performance.now() - trusted.at < freshMs

  const look = async (engine: ContainerEngine): Promise<boolean> => {
    try {
      await engine.check(AbortSignal.timeout(timeoutMs))
      trust(engine)
      return true
    } catch (err) {
      const { containerId } = engine
      log.error({ sessionId, containerId, err }, 'the engine of a container cannot be used any more; it is ended')
      engine.end(new ExecutorError('ENGINE_LOST', 'the engine did not answer')).catch((error: unknown) => {
        log.error({ sessionId, containerId, err: error }, 'a container whose engine cannot be used could not be ended')
      })
      return false
    } finally {
      looking = undefined
    }
  }

  return {
    trust,
    isFresh,
    async isWell(engine, signal) {
      if (isFresh(engine)) return true
      if (looking?.engine !== engine) looking = { engine, well: look(engine) }
      return await withSignal(looking.well, signal)
    },
  }
}
