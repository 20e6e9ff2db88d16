import type { Log, WarmPoolState, WorkspaceFill } from '@opencode-gateway/contracts'
import type { Directories } from '@opencode-gateway/workspaces'
import type { ContainerEngine } from '../container/container-engine.ts'
import type { Discarded } from '../container/discard.ts'
import type { RunningContainer } from '../container/launch-container.ts'
import { defaultWarmPool } from '../options.ts'
import type { DockerExecutorOptions } from '../options.ts'
import type { Places } from '../session-place.ts'
import type { EngineStarter } from '../engine/start-engine.ts'
import { createWarmPlaces } from './warm-places.ts'
import { createWarmPool } from './warm-pool.ts'
import type { WarmPool } from './warm-pool.ts'

export interface WarmStarterOptions {
  starter: EngineStarter
  directories: Directories
  places: Places
  warmPool: DockerExecutorOptions['warmPool']
  discard: Discarded['discard']
  hasRoom(): boolean
  /** There is room for another container, or one that can make some. */
  onChange(): void
  /** The image that containers are made from now. */
  image(): string
  log: Log
}

/** Starts the engines of sessions in warm containers where it can. */
export interface WarmStarter extends Pick<WarmPool, 'open' | 'has' | 'count' | 'yield' | 'close'> {
  /** Undefined when there is no pool. */
  state(): WarmPoolState | undefined
  /**
   * Sets a warm container aside for a session without a workspace, which has one then; false when there is none. What
   * is set aside is for `start` or `drop`.
   */
  claim(sessionId: string, fill: WorkspaceFill, signal: AbortSignal): Promise<boolean>
  /** In the container that was set aside, else in one that runs already or a new one. */
  start: EngineStarter['start']
  isAside(sessionId: string): boolean
  /** Ends what was set aside and not started in. */
  drop(sessionId: string): Promise<void>
}

export function createWarmStarter(options: WarmStarterOptions): WarmStarter {
  const { starter, discard, log } = options
  const places = createWarmPlaces(options.directories, options.places)
  const hasPool = (options.warmPool?.size ?? 0) > 0
  let claimed = 0
  let missed = 0
  const aside = new Map<string, RunningContainer>()
  const pool = createWarmPool({
    ...defaultWarmPool,
    ...options.warmPool,
    log,
    places,
    discard,
    hasRoom: options.hasRoom,
    onChange: options.onChange,
    image: options.image,
    start: async (warmId, onGone, signal) => await starter.warm(warmId, await places.make(warmId), onGone, signal),
  })

  const takeAside = (sessionId: string): RunningContainer | undefined => {
    const container = aside.get(sessionId)
    aside.delete(sessionId)
    return container
  }

  return {
    open: pool.open,
    has: pool.has,
    yield: pool.yield,
    count: () => pool.count() + aside.size,
    isAside: (sessionId) => aside.has(sessionId),
    state: () => (hasPool ? { ...pool.state(), claimed, missed } : undefined),
    close: pool.close,
    async claim(sessionId, { repository, files }, signal): Promise<boolean> {
      const isFilled = repository !== undefined || files !== undefined
      const claimed = await pool.claim(sessionId, isFilled, signal)
      if (!claimed) {
        missed += 1
        pool.fill()
        return false
      }
      aside.set(sessionId, claimed.container)
      pool.leave(claimed.warmId)
      return true
    },
    async start(sessionId, onGone, call): Promise<ContainerEngine> {
      const warm = takeAside(sessionId)
      if (!warm) return await starter.start(sessionId, onGone, call)
      const { signal } = call
      try {
        const engine = await starter.take(sessionId, warm, onGone, signal)
        claimed += 1
        return engine
      } catch (err) {
        missed += 1
        await discard(warm.id)
        signal.throwIfAborted()
        log.warn({ sessionId, err }, 'a warm container could not be used; another one is started')
        return await starter.start(sessionId, onGone, call)
      }
    },
    async drop(sessionId) {
      const unused = takeAside(sessionId)
      if (unused) await discard(unused.id)
    },
  }
}
