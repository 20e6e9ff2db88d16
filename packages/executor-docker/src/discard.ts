import type { Log } from '@opencode-gateway/contracts'
import type { Daemon } from './daemon.ts'

/** Containers that have to go, and could not be removed yet. */
export interface Discarded {
  /** Removes a container, by name or id; what cannot be removed now is with `retry`. Never throws. */
  discard(name: string): Promise<void>
  /** Never throws. */
  retry(): Promise<void>
}

/**
 * A call that was given up may be carried out by the daemon when that comes back: what it makes then has to go, too. So
 * a name is kept until the daemon has said that there is no such container.
 */
export function createDiscarded({
  daemon,
  log,
  timeoutMs,
}: {
  daemon: Daemon
  log: Log
  timeoutMs: number
}): Discarded {
  const names = new Set<string>()

  const remove = async (name: string): Promise<void> => {
    try {
      await daemon.remove(name, AbortSignal.timeout(timeoutMs))
      names.delete(name)
    } catch (err) {
      log.warn({ container: name, err }, 'a container could not be removed, which is tried again')
    }
  }

  return {
    async discard(name) {
      names.add(name)
      await remove(name)
    },
    async retry() {
      for (const name of names) await remove(name)
    },
  }
}
