import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon } from '../daemon/daemon.ts'

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 2_000

/**
 * Settles when the container does not run any more, or when the signal aborts. A daemon that goes away meanwhile says
 * nothing of its containers; it is asked again until it does.
 */
export async function watchExit(
  daemon: Pick<Daemon, 'exited' | 'inspect'>,
  containerId: string,
  signal: AbortSignal,
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      await daemon.exited(containerId, signal)
      return
    } catch {
      // The connection broke, or there is no such container: only the daemon's list tells which.
    }
    const facts = await daemon.inspect(containerId, signal).catch(() => 'unknown' as const)
    if (facts !== 'unknown' && !facts?.running) return
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}
