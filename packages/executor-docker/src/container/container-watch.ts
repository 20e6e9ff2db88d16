import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@opencode-gateway/contracts'
import { labels } from './container-spec.ts'
import type { Daemon } from '../daemon/daemon.ts'

/**
 * Hints that a container may have ended, of the daemon's events and of a look at its list now and then. Only who asks
 * the daemon then knows.
 */
export interface ContainerWatch {
  /** As the daemon's own; also rejects when the container may have ended: a wait can be cut off without a word. */
  exited: Daemon['exited']
  close(): Promise<void>
}

export interface ContainerWatchOptions {
  daemon: Pick<Daemon, 'exited' | 'ends' | 'list'>
  /** Whose containers; undefined while it is not known. */
  owner(): string | undefined
  log: Log
  lookMs?: number
  maxPauseMs?: number
}

const FIRST_PAUSE_MS = 200

export function createContainerWatch(options: ContainerWatchOptions): ContainerWatch {
  const { daemon, log, lookMs = 15_000, maxPauseMs = 10_000 } = options
  const closing = new AbortController()
  const waiting = new Map<string, Set<() => void>>()
  let watching: Promise<unknown> | undefined

  const ring = (containerId: string): void => {
    for (const hint of waiting.get(containerId) ?? []) hint()
  }

  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: closing.signal }).catch(() => undefined)

  /** What ended while nothing was told of it. */
  const look = async (): Promise<void> => {
    const owner = options.owner()
    if (owner === undefined || waiting.size === 0) return
    const listed = await daemon.list(labels.owner, owner, closing.signal)
    const running = new Set(listed.filter((container) => container.running).map(({ id }) => id))
    for (const id of waiting.keys()) if (!running.has(id)) ring(id)
  }

  const follow = async (): Promise<void> => {
    for (let pauseMs = FIRST_PAUSE_MS; !closing.signal.aborted; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
      const owner = options.owner()
      const since = performance.now()
      try {
        if (owner !== undefined) {
          const ends = await daemon.ends(labels.owner, owner, closing.signal)
          await look()
          for await (const id of ends) ring(id)
        }
      } catch (err) {
        if (!closing.signal.aborted) log.debug({ err, pauseMs }, 'the events of the daemon cannot be followed')
      }
      if (performance.now() - since > maxPauseMs) pauseMs = FIRST_PAUSE_MS
      await pause(pauseMs)
    }
  }

  const lookAgain = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await pause(lookMs)
      await look().catch((err: unknown) => {
        if (!closing.signal.aborted) log.debug({ err }, 'the list of the daemon cannot be looked at')
      })
    }
  }

  return {
    async exited(containerId, signal) {
      watching ??= Promise.all([follow(), lookAgain()])
      const over = new AbortController()
      const { promise: hinted, reject } = Promise.withResolvers<never>()
      const hint = (): void => reject(new Error('the container may have ended'))
      const hints = waiting.get(containerId) ?? new Set()
      waiting.set(containerId, hints.add(hint))
      try {
        await Promise.race([daemon.exited(containerId, AbortSignal.any([signal, over.signal])), hinted])
      } finally {
        hints.delete(hint)
        if (hints.size === 0 && waiting.get(containerId) === hints) waiting.delete(containerId)
        over.abort()
      }
    },
    async close() {
      closing.abort()
      await watching
    },
  }
}
