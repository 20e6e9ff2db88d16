import { randomUUID } from 'node:crypto'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log, WarmPoolState } from '@opencode-gateway/contracts'
import { createBootSteps } from '../container/boot-steps.ts'
import type { ContainerEngine } from '../container/container-engine.ts'
import { inside } from '../container/inside.ts'
import type { RunningContainer } from '../container/launch-container.ts'
import { warmIdOf } from './warm-places.ts'
import type { WarmPlaces } from './warm-places.ts'

/** A container that is nobody's, with an engine that was seen to make sessions. */
export interface WarmContainer {
  container: RunningContainer
  engine: ContainerEngine
  /** Id of its image. */
  image: string
}

export interface WarmPoolOptions {
  /** How many wait. With 0 there are none. */
  size: number
  /** How many are started at the same time. */
  parallel: number
  /** One that has waited so long is replaced. */
  maxAgeMs: number
  /** How often those that wait are looked at. */
  tendMs: number
  log: Log
  places: WarmPlaces
  /** Brings one up, in directories of its own. */
  start(warmId: string, onGone: () => void, signal: AbortSignal): Promise<WarmContainer>
  /** Ends one that cannot be used, now or as soon as the daemon can be reached. Never throws. */
  discard(containerId: string): Promise<void>
  /** Whether there may be one more container. */
  hasRoom(): boolean
  /** There is one more that waits, or one less at all. */
  onChange(): void
  /** The image that containers are made from now. */
  image(): string
}

/** Containers that were started before anybody asked for them. */
export interface WarmPool {
  /** Begins to fill it. */
  open(): void
  /**
   * Makes a container that waits the session's, which has no workspace yet; undefined when there is none or it cannot
   * be had. `filled`: the workspace will not stay empty. Never throws but for the signal.
   */
  claim(sessionId: string, filled: boolean, signal: AbortSignal): Promise<Claimed | undefined>
  /** The container is counted elsewhere from now on; another one comes in its place. */
  leave(warmId: string): void
  /** Starts what is missing, if there is room. */
  fill(): void
  /** Whether this is one of the pool's, also while it is being claimed. */
  has(warmId: string): boolean
  /** Ends the one that has waited for the longest; false when none waits. Another one comes in its place later. */
  yield(): Promise<boolean>
  /** How many there are, those that are on their way in or out too. */
  count(): number
  state(): Pick<WarmPoolState, 'ready' | 'starting'>
  /** Ends those that wait. */
  close(): Promise<void>
}

export interface Claimed {
  warmId: string
  container: RunningContainer
}

interface Entry extends WarmContainer {
  id: string
  since: number
}

const CALL_TIMEOUT_MS = 10_000
const MAX_PAUSE_MS = 60_000

export function createWarmPool(options: WarmPoolOptions): WarmPool {
  const { size, log, places } = options
  const closing = new AbortController()
  const ready: Entry[] = []
  /** Everything that has directories: being started, ready, being claimed, being ended. */
  const known = new Set<string>()
  const attempts = new Set<Promise<void>>()
  let failures = 0
  let pause: NodeJS.Timeout | undefined
  let tending: NodeJS.Timeout | undefined

  const forget = async (id: string): Promise<void> => {
    await places.remove(id)
    known.delete(id)
    options.onChange()
  }

  const retire = async (entry: Entry, why: string): Promise<void> => {
    const at = ready.indexOf(entry)
    if (at >= 0) ready.splice(at, 1)
    log.info({ warmId: entry.id, containerId: entry.container.id, why }, 'a warm container is ended')
    try {
      await entry.engine.end(new ExecutorError('ENGINE_LOST', why))
      await forget(entry.id)
    } catch (err) {
      log.warn({ warmId: entry.id, err }, 'a warm container could not be ended; the next sweep tries again')
    }
  }

  const startOne = async (): Promise<void> => {
    const id = warmIdOf(randomUUID())
    known.add(id)
    const entry: { made?: Entry } = {}
    const onGone = (): void => {
      const at = entry.made ? ready.indexOf(entry.made) : -1
      if (at < 0) return
      ready.splice(at, 1)
      // By itself, or killed by somebody: nobody waits for its end.
      void entry.made?.engine.over.then(() => forget(id)).catch(() => undefined)
      fill()
    }
    try {
      const made = { ...(await options.start(id, onGone, closing.signal)), id, since: performance.now() }
      entry.made = made
      failures = 0
      if (closing.signal.aborted) return await retire(made, 'the gateway stops')
      ready.push(made)
      options.onChange()
    } catch (err) {
      await forget(id).catch(() => undefined)
      if (closing.signal.aborted) return
      failures += 1
      log.warn({ err, failures }, 'a warm container could not be started, which is tried again')
      clearTimeout(pause)
      pause = setTimeout(fill, Math.min(1000 * 2 ** (failures - 1), MAX_PAUSE_MS))
    }
  }

  function fill(): void {
    if (closing.signal.aborted) return
    // After one that failed they come one at a time, each after a pause.
    const parallel = failures > 0 ? 1 : options.parallel
    while (attempts.size < parallel && ready.length + attempts.size < size && options.hasRoom()) {
      const attempt = startOne().finally(() => {
        attempts.delete(attempt)
        if (failures === 0) fill()
      })
      attempts.add(attempt)
    }
  }

  const isWell = async ({ engine, since, image }: Entry): Promise<boolean> => {
    if (performance.now() - since > options.maxAgeMs || image !== options.image()) return false
    try {
      await engine.check(AbortSignal.any([closing.signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]))
      return true
    } catch {
      return closing.signal.aborted
    }
  }

  const tend = async (): Promise<void> => {
    // One at a time: those that are claimed meanwhile are no longer in the list.
    for (const entry of ready.slice()) {
      if (!(await isWell(entry)) && ready.includes(entry)) await retire(entry, 'it is old, unwell or of another image')
    }
    fill()
    if (!closing.signal.aborted) tending = setTimeout(() => void tend(), options.tendMs)
  }

  const hand = async (entry: Entry, sessionId: string, filled: boolean, signal: AbortSignal): Promise<void> => {
    const { engine } = entry
    // What it has found in the empty directory is not to be taken for what will be there.
    if (filled) {
      const within = AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)])
      await engine.client.disposeDirectory(inside.workspace, within)
    }
    engine.keep(true)
    await engine.dismiss(new ExecutorError('ENGINE_LOST', "the container is a session's"))
    await places.claim(entry.id, sessionId)
  }

  return {
    open() {
      if (size === 0) return
      fill()
      tending = setTimeout(() => void tend(), options.tendMs)
    },
    async claim(sessionId, filled, signal) {
      const steps = createBootSteps()
      const entry = ready.shift()
      if (!entry) return undefined
      try {
        await hand(entry, sessionId, filled, signal)
        steps.done('engineReadyMs')
        log.info({ sessionId, warmId: entry.id, containerId: entry.container.id }, 'a warm container is taken')
        return { warmId: entry.id, container: { ...entry.container, steps } }
      } catch (err) {
        log.warn({ sessionId, warmId: entry.id, err }, 'a warm container could not be taken; another one is started')
        await options.discard(entry.container.id)
        await forget(entry.id).catch(() => undefined)
        return undefined
      }
    },
    leave(warmId) {
      known.delete(warmId)
      fill()
    },
    fill,
    has: (warmId) => known.has(warmId),
    async yield() {
      const [entry] = ready
      if (!entry) return false
      await retire(entry, 'its place is needed')
      return true
    },
    count: () => known.size,
    state: () => ({ ready: ready.length, starting: attempts.size }),
    async close() {
      closing.abort(new ExecutorError('EXECUTOR_UNAVAILABLE', 'the executor is closed'))
      clearTimeout(pause)
      clearTimeout(tending)
      await Promise.all(attempts)
      await Promise.all(ready.slice().map((entry) => retire(entry, 'the gateway stops')))
    },
  }
}
