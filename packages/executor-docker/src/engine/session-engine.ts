import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log } from '@opencode-gateway/contracts'
import { withSignal } from '@opencode-gateway/opencode'
import type { EngineClient, EngineLease, SessionEngineSource } from '@opencode-gateway/opencode'
import type { ContainerEngine } from '../container/container-engine.ts'
import type { StartCall } from './start-call.ts'
import { createTrustedEngine } from './trusted-engine.ts'

/** The engine of one session: a container that comes with work and may go between two runs. */
export interface SessionEngine extends SessionEngineSource {
  /** As `acquire`. `onWaiting`: told when the container has to wait until others have started. */
  begin(signal: AbortSignal, onWaiting: StartCall['onWaiting']): Promise<EngineLease>
  /** Takes over the container that a gateway before left running; false when there is none. */
  adopt(signal: AbortSignal): Promise<boolean>
  /** The container at this moment; undefined when there is none. */
  current(): ContainerEngine | undefined
  /** Since when the container has had no work, as `performance.now()` tells; undefined while it has, or is not there. */
  idleSince(): number | undefined
  /** Ends the container if it has no work; false when it has, or is not there. */
  rest(why: ExecutorError): Promise<boolean>
  /** Ends the container, if there is one; another one comes with the next work. */
  end(why: ExecutorError): Promise<void>
  /** No container comes any more. One in which a run goes on that was let go of stays. */
  close(): Promise<void>
}

export interface SessionEngineOptions {
  log: Log
  sessionId: string
  idleTimeoutMs: number
  /** How long an engine without work may take to say that it is well. */
  healthTimeoutMs: number
  /** How long an engine is taken for well after it was, milliseconds. */
  healthFreshMs: number
  /** Starts a container, or takes over the one that runs. `onGone` is called as soon as it is known to have ended. */
  start(onGone: () => void, call: StartCall): Promise<ContainerEngine>
  /** The container has no work from now on. */
  onIdle?(): void
  /** Only takes over. */
  find(onGone: () => void, signal: AbortSignal): Promise<ContainerEngine | undefined>
}

/** A start, and those who wait for it. */
interface Attempt {
  engine: Promise<ContainerEngine>
  unwanted: AbortController
  waiting: boolean
  awaiting: Set<{ onWaiting?: StartCall['onWaiting'] }>
}

export function createSessionEngine(options: SessionEngineOptions): SessionEngine {
  const { log, sessionId, idleTimeoutMs, healthTimeoutMs, healthFreshMs } = options
  const trusted = createTrustedEngine({ log, sessionId, timeoutMs: healthTimeoutMs, freshMs: healthFreshMs })
  const closing = new AbortController()
  const leases = new Set<EngineLease>()
  /** What has to be over before another container is started: it would have the same name. */
  let before: Promise<unknown> = Promise.resolve()
  /** Before it is known that there is no container none is started. */
  let adopting: Promise<unknown> = Promise.resolve()
  let starting: Attempt | undefined
  let alive: ContainerEngine | undefined
  let idleTimer: NodeJS.Timeout | undefined
  let idleAt: number | undefined

  const closed = (): ExecutorError => new ExecutorError('EXECUTOR_UNAVAILABLE', 'the session or its executor is closed')

  const rest = (): void => {
    clearTimeout(idleTimer)
    if (!alive || leases.size > 0 || closing.signal.aborted) return
    idleAt = performance.now()
    options.onIdle?.()
    idleTimer = setTimeout(() => {
      if (leases.size > 0) return
      log.info({ sessionId }, 'a container that had no work is ended')
      end(new ExecutorError('ENGINE_LOST', 'the container had no work')).catch((err: unknown) => {
        log.error({ sessionId, err }, 'a container that had no work could not be ended')
      })
    }, idleTimeoutMs)
  }

  const nothingBefore = async (): Promise<void> => {
    for (let awaited: unknown; awaited !== before && !alive;) {
      awaited = before
      await before
    }
  }

  /** `get` is told when what it got is gone, which may be before it has settled. */
  const obtain = async <T extends ContainerEngine | undefined>(
    get: (onGone: () => void, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    await nothingBefore()
    closing.signal.throwIfAborted()
    if (alive) return alive as T
    let gone = false
    const got: { engine?: ContainerEngine | undefined } = {}
    const onGone = (): void => {
      gone = true
      if (alive && alive === got.engine) alive = undefined
    }
    const engine = await get(onGone, closing.signal)
    got.engine = engine
    if (!engine) return engine
    before = engine.over.catch(() => undefined)
    if (!gone) alive = engine
    trusted.trust(engine)
    rest()
    return engine
  }

  const start = (): Attempt => {
    if (starting) return starting
    const unwanted = new AbortController()
    const awaiting: Attempt['awaiting'] = new Set()
    const onWaiting = (waiting: boolean): void => {
      attempt.waiting = waiting
      for (const one of awaiting) one.onWaiting?.(waiting)
    }
    const engine = adopting
      .then(() => obtain((onGone, signal) => options.start(onGone, { signal, unwanted: unwanted.signal, onWaiting })))
      .finally(() => {
        starting = undefined
      })
    engine.catch(() => undefined)
    const attempt: Attempt = { engine, unwanted, awaiting, waiting: false }
    starting = attempt
    return attempt
  }

  /** Undefined when the start was given up before it began, by those who waited for it before. */
  const started = async (
    attempt: Attempt,
    signal: AbortSignal,
    onWaiting: StartCall['onWaiting'],
  ): Promise<ContainerEngine | undefined> => {
    const one = onWaiting ? { onWaiting } : {}
    attempt.awaiting.add(one)
    if (attempt.waiting) onWaiting?.(true)
    try {
      return await withSignal(attempt.engine, signal)
    } catch (error) {
      if (error !== attempt.unwanted.signal.reason) throw error
      return undefined
    } finally {
      attempt.awaiting.delete(one)
      if (attempt.awaiting.size === 0) attempt.unwanted.abort(new Error('nobody waits for the container any more'))
    }
  }

  const lease = ({ client }: { client: EngineClient }): EngineLease => {
    clearTimeout(idleTimer)
    const given: EngineLease = {
      client,
      release() {
        if (leases.delete(given)) rest()
      },
    }
    leases.add(given)
    return given
  }

  const begin: SessionEngine['begin'] = async (signal, onWaiting) => {
    for (;;) {
      if (closing.signal.aborted) throw closed()
      const engine = alive ?? (await started(start(), signal, onWaiting))
      if (!engine) continue
      // What works is looked after by whoever watches it.
      const isUsable = leases.size > 0 || (await trusted.isWell(engine, signal))
      // It may have ended since it was waited for.
      if (isUsable && engine === alive) return lease(engine)
    }
  }

  const end = async (why: ExecutorError): Promise<void> => {
    starting?.unwanted.abort(why)
    await Promise.all([adopting, starting?.engine.catch(() => undefined)])
    await alive?.end(why)
    await before
  }

  const isIdle = (): boolean => alive !== undefined && leases.size === 0

  return {
    current: () => alive,
    end,
    idleSince: () => (isIdle() ? idleAt : undefined),
    async rest(why) {
      if (!alive || !isIdle()) return false
      clearTimeout(idleTimer)
      await alive.end(why)
      return true
    },
    async adopt(signal) {
      if (alive || starting) return true
      const finding = obtain(options.find)
      adopting = finding.catch(() => undefined)
      return (await withSignal(finding, signal)) !== undefined
    },
    begin,
    acquire: (signal) => begin(signal, undefined),
    retain(client) {
      if (alive?.client !== client) return undefined
      return leases.size > 0 || trusted.isFresh(alive) ? lease(alive) : undefined
    },
    async close() {
      closing.abort(closed())
      clearTimeout(idleTimer)
      await Promise.all([adopting, starting?.engine.catch(() => undefined)])
      await alive?.dismiss(closed())
      await before
    },
  }
}
