import path from 'node:path'
import type { SweepReport } from '@opencode-gateway/contracts'
import { removeTree, type Directories } from '@opencode-gateway/workspaces'
import { labels } from './container/container-spec.ts'
import type { Daemon } from './daemon/daemon.ts'
import type { Places } from './session-place.ts'

export interface SweepOptions {
  daemon: Daemon
  places: Places
  directories: Directories
  owner: string
  /** Sessions that somebody needs. */
  live: ReadonlySet<string>
  /** Whether a container of the session, or one that is no session's yet, is in use here. */
  isInUse(id: string): boolean
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

  /** Warm containers keep the label they were made with. */
  const sessionOf = new Map<string, string>()
  for (const name of await places.list()) {
    const madeAs = await places.madeAs(name).catch(() => undefined)
    if (madeAs !== undefined) sessionOf.set(madeAs, name)
  }

  const stuck = new Set<string>()
  for (const container of await daemon.list(labels.owner, owner, signal)) {
    const madeAs = container.labels[labels.session] ?? ''
    const id = sessionOf.get(madeAs) ?? madeAs
    if (isInUse(id)) continue
    const gone = await attempt(container.name, () => daemon.remove(container.id, signal))
    if (!gone) stuck.add(id)
  }
  const known = new Set(await directories.list())
  for (const name of await places.list()) {
    // What was made for a container, or was on its way to a session, when the gateway before this one was killed.
    if (name.startsWith('.') || known.has(name) || live.has(name) || stuck.has(name) || isInUse(name)) continue
    await attempt(path.join(places.area, name), () => removeTree(path.join(places.area, name)))
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
