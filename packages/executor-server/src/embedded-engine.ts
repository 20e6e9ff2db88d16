import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExecutorError } from '@opencode-gateway/contracts'
import { withSignal } from '@opencode-gateway/opencode'
import { defaultRecycleLimits, outgrown } from './engine-growth.ts'
import type { EngineSource } from './engine-source.ts'
import { watchEngine } from './engine-watch.ts'
import { launchEngine } from './launch-engine.ts'
import type { LaunchOptions } from './launch-engine.ts'
import { killMarked } from './marked-processes.ts'
import type { RunningEngine } from './running-engine.ts'

const MARK = 'OPENCODE_GATEWAY_ENGINE'
const FIRST_BACKOFF_MS = 200
/** An engine that dies sooner is started again after a pause that grows. */
const SHORT_LIFE_MS = 10_000
const MAX_BACKOFF_MS = 30_000

/**
 * Starts an engine and watches it. One that dies or hangs is started again. One that has grown too large or too old is
 * replaced: another one starts on the same state and gets the new work; the first one ends when its runs have.
 */
export function createEmbeddedEngine(given: Omit<LaunchOptions, 'mark'>): EngineSource {
  const { log, stopGraceMs = 3_000, healthIntervalMs = 5_000, answerTimeoutMs = 5_000, maxUnanswered = 3 } = given
  const stateDir = path.resolve(given.stateDir)
  const mark = `${MARK}=${stateDir}`
  const options: LaunchOptions = { ...given, stateDir, mark }
  const limits = { ...defaultRecycleLimits, ...given.recycle }
  const closing = new AbortController()
  /** Every engine that lives, and its supervision. */
  const engines = new Map<RunningEngine, Promise<void>>()
  /** What else goes on; it never rejects. */
  const chores = new Set<Promise<void>>()
  /** The engine for new work, or the next one. */
  let current: Promise<RunningEngine> | undefined
  let alive: RunningEngine | undefined
  let replacing = false
  let version: string | undefined
  let rssBytes: number | undefined
  let restarts = 0

  const launch = async (signal: AbortSignal): Promise<RunningEngine> => {
    const launched = await launchEngine(options, signal)
    version = launched.version
    return launched.engine
  }

  /** Makes it the engine for new work. */
  const takeOver = (engine: RunningEngine, shortLives: number): RunningEngine => {
    alive = engine
    rssBytes = undefined
    engines.set(engine, supervise(engine, shortLives))
    return engine
  }

  const kill = async (engine: RunningEngine): Promise<void> => {
    try {
      await engine.process.kill()
    } catch (err) {
      log.error({ err }, 'what an engine started could not be ended')
    }
  }

  /** Waits for the end of an engine. When it was that for new work, another one is started. */
  const supervise = async (engine: RunningEngine, shortLives: number): Promise<void> => {
    const ended = new AbortController()
    const watching = watchEngine(
      engine,
      {
        intervalMs: healthIntervalMs,
        answerTimeoutMs,
        maxUnanswered,
        onVitals(bytes) {
          if (engine !== alive) return
          rssBytes = bytes
          replaceOutgrown(engine)
        },
        async onHung() {
          log.error({ pid: engine.process.pid }, 'the engine does not answer; it is ended')
          await kill(engine)
        },
      },
      ended.signal,
    )
    const how = await engine.process.exited
    ended.abort()
    const failures = engine.ageMs() < SHORT_LIFE_MS ? shortLives + 1 : 0
    const again = alive === engine && !closing.signal.aborted ? Promise.withResolvers<RunningEngine>() : undefined
    again?.promise.catch(() => undefined)
    if (alive === engine) {
      alive = undefined
      // Whoever asks for the engine from now on waits for the next one; then the runs of this one hear of its end.
      current = again?.promise
    }
    engine.client.fail(new ExecutorError('ENGINE_LOST', `the engine died: ${how}`))
    await watching
    await engine.client.close()
    await kill(engine)
    engines.delete(engine)
    if (!again) return
    log.error({ how }, 'the engine died; it is started again')
    restarts += 1
    try {
      again.resolve(takeOver(await launchAgain(failures), failures))
    } catch (error) {
      again.reject(error)
    }
  }

  /** Tries until it works; rejects only when the executor closes, or with the last failure when it is not `wanted`. */
  const launchAgain = async (failuresBefore: number, wanted = () => true): Promise<RunningEngine> => {
    for (let failures = failuresBefore; ; failures += 1) {
      const backoffMs = failures === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** failures, MAX_BACKOFF_MS)
      await sleep(backoffMs, undefined, { signal: closing.signal })
      try {
        return await launch(closing.signal)
      } catch (err) {
        closing.signal.throwIfAborted()
        if (!wanted()) throw err
        log.error({ err, failures: failures + 1 }, 'an engine could not be started; it is tried again')
      }
    }
  }

  const replaceOutgrown = (engine: RunningEngine): void => {
    const why = outgrown(engine, rssBytes, limits)
    // One at a time: an engine that still ends its runs is memory in use too.
    if (why === undefined || replacing || closing.signal.aborted) return
    replacing = true
    log.info({ pid: engine.process.pid, why }, 'the engine is replaced by another one')
    const chore = replace(engine)
      .catch((err: unknown) => {
        if (!closing.signal.aborted) log.error({ err }, 'the engine could not be replaced')
      })
      .finally(() => {
        replacing = false
        chores.delete(chore)
      })
    chores.add(chore)
  }

  const replace = async (engine: RunningEngine): Promise<void> => {
    const next = await launchAgain(0, () => alive === engine)
    // It died meanwhile: its own supervision has begun to start another one.
    if (alive !== engine || closing.signal.aborted) {
      await next.client.close()
      await next.process.stop()
      return
    }
    current = Promise.resolve(next)
    restarts += 1
    takeOver(next, 0)
    await Promise.race([engine.idle(), engine.process.exited])
    await engine.process.stop()
    log.info({ pid: engine.process.pid }, 'the engine that was replaced has ended')
  }

  return {
    mode: 'embedded',
    mark: process.platform === 'linux' ? mark : undefined,
    version: () => version,
    vitals: () => ({ restarts, ...(rssBytes === undefined ? {} : { rssBytes }) }),
    async start(signal) {
      if (current) return void (await current)
      const starting = AbortSignal.any([signal, closing.signal])
      const launching = (async () => {
        // An engine of a gateway that was killed still works for nobody, and so does what its agents started.
        const orphans = await killMarked(mark, AbortSignal.any([starting, AbortSignal.timeout(stopGraceMs)]))
        if (orphans > 0) log.warn({ orphans }, 'processes of an engine that was left behind were ended')
        return takeOver(await launch(starting), 0)
      })()
      current = launching
      try {
        await launching
      } catch (error) {
        current = undefined
        throw error
      }
    },
    async acquire(signal, directory) {
      const deadline = AbortSignal.any([signal, closing.signal])
      for (;;) {
        if (closing.signal.aborted || !current) throw notRunning()
        const engine = await withSignal(current, deadline)
        // Another one may have taken over since it was waited for.
        if (engine !== alive) continue
        const lease = engine.lease(directory)
        replaceOutgrown(engine)
        return lease
      }
    },
    retain(client, directory) {
      if (!alive || alive.client !== client) return undefined
      const lease = alive.lease(directory)
      replaceOutgrown(alive)
      return lease
    },
    async close(hurry) {
      closing.abort(notRunning())
      await current?.catch(() => undefined)
      await Promise.all([...engines.keys()].map((engine) => engine.process.stop(hurry)))
      await Promise.all([...engines.values(), ...chores])
      current = undefined
      alive = undefined
    },
  }
}

function notRunning(): ExecutorError {
  return new ExecutorError(
    'EXECUTOR_UNAVAILABLE',
    'the engine is not running; the executor was not started or is closed',
  )
}
