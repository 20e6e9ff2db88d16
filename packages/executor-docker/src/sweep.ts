import type { SweepReport } from '@opencode-gateway/contracts'
import type { Directories } from '@opencode-gateway/workspaces'
import { labels } from './container-spec.ts'
import type { Daemon } from './daemon.ts'
import type { Places } from './session-place.ts'

export interface SweepOptions {
  daemon: Daemon
  places: Places
  directories: Directories
  owner: string
  /** Sessions that somebody needs. */
  live: ReadonlySet<string>
  /** Whether a container of the session is in use here. */
  isInUse(sessionId: string): boolean
}

/**
 * Removes the containers and directories of sessions that nobody needs, and containers that nobody took over: their
 * sessions find their conversation in another one. Goes by the owner's label alone; what only looks like ours is not.
 */
export async function sweepSessions(options: SweepOptions, signal: AbortSignal): Promise<SweepReport> {
  const { daemon, places, directories, owner, live, isInUse } = options
  const removed: string[] = []
  const failed: { what: string; why: string }[] = []
  const attempt = async (what: string, remove: () => Promise<void>): Promise<boolean> => {
    try {
      await remove()
      removed.push(what)
      return true
    } catch (error) {
      signal.throwIfAborted()
      failed.push({ what, why: error instanceof Error ? error.message : String(error) })
      return false
    }
  }

  const stuck = new Set<string>()
  for (const container of await daemon.list(labels.owner, owner, signal)) {
    const sessionId = container.labels[labels.session] ?? ''
    if (isInUse(sessionId)) continue
    const gone = await attempt(container.name, () => daemon.remove(container.id, signal))
    if (!gone) stuck.add(sessionId)
  }
  for (const sessionId of await directories.list()) {
    if (live.has(sessionId) || stuck.has(sessionId)) continue
    await attempt(directories.pathOf(sessionId), async () => {
      await places.remove(sessionId)
      await directories.remove(sessionId)
    })
  }
  return { removed, failed }
}
