import { performance } from 'node:perf_hooks'
import type { Log } from '@opencode-gateway/contracts'
import { labels } from './container-spec.ts'
import type { Daemon } from '../daemon/daemon.ts'

/** Containers that have to go, and could not be removed yet. */
export interface Discarded {
  /**
   * Removes a container, by id, or by name with its epoch: one of that name that was made later is left alone. What
   * cannot be removed now is with `retry`. Never throws.
   */
  discard(name: string, epoch?: number): Promise<void>
  /** Whether a container of this name may still have to go. */
  has(name: string): boolean
  /** Never throws. */
  retry(): Promise<void>
}

/** How long a daemon that answers again may take to carry out a call that was given up. */
const LATE_MS = 120_000

interface Entry {
  epoch: number | undefined
  missingSince?: number
}

/**
 * A call that was given up may be carried out by the daemon when that comes back: what it makes then has to go, too. So
 * a name is kept for a while after the daemon has said that there is no such container.
 */
export function createDiscarded({
  daemon,
  log,
  timeoutMs,
  lateMs = LATE_MS,
}: {
  daemon: Daemon
  log: Log
  timeoutMs: number
  lateMs?: number
}): Discarded {
  const entries = new Map<string, Entry>()
  let retrying: Promise<void> | undefined

  /** Whether nothing is left to do. */
  const isDone = async (name: string, entry: Entry): Promise<boolean> => {
    const signal = AbortSignal.timeout(timeoutMs)
    const found = await daemon.inspect(name, signal)
    if (!found) {
      entry.missingSince ??= performance.now()
      return entry.epoch === undefined || performance.now() - entry.missingSince >= lateMs
    }
    if (entry.epoch !== undefined && !(epochOf(found.labels) <= entry.epoch)) return true
    // By its id: another one may have the name by now.
    await daemon.remove(found.id, signal)
    // After an earlier one that was in its way the one that is meant may still come.
    return entry.epoch === undefined || epochOf(found.labels) === entry.epoch
  }

  const remove = async (name: string, entry: Entry): Promise<void> => {
    try {
      if ((await isDone(name, entry)) && entries.get(name) === entry) entries.delete(name)
    } catch (err) {
      log.warn({ container: name, err }, 'a container could not be removed, which is tried again')
    }
  }

  const retryAll = async (): Promise<void> => {
    for (const [name, entry] of entries) await remove(name, entry)
  }

  return {
    async discard(name, epoch) {
      const entry = { epoch }
      entries.set(name, entry)
      await remove(name, entry)
    },
    has: (name) => entries.has(name),
    retry: () =>
      (retrying ??= retryAll().finally(() => {
        retrying = undefined
      })),
  }
}

/** NaN for what is not ours. */
function epochOf(found: Readonly<Record<string, string>>): number {
  return Number(found[labels.epoch])
}
