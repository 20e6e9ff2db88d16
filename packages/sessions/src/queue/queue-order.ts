import type { QueuedRun } from '@opencode-gateway/contracts'

export interface ActiveRun {
  tenant: string
  sessionId: string
}

/**
 * Which queued run is next: of the tenants with the fewest runs at work the one that has waited longest. So a tenant
 * with a thousand waiting runs takes turns with one that has a single run. A session with a run at work is passed over.
 */
export function nextRun(queued: readonly QueuedRun[], active: Iterable<ActiveRun>): QueuedRun | undefined {
  const busySessions = new Set<string>()
  const load = new Map<string, number>()
  for (const run of active) {
    busySessions.add(run.sessionId)
    load.set(run.tenant, (load.get(run.tenant) ?? 0) + 1)
  }
  let best: QueuedRun | undefined
  for (const run of queued) {
    if (busySessions.has(run.sessionId)) continue
    if (best === undefined || compare(run, best, load) < 0) best = run
  }
  return best
}

function compare(a: QueuedRun, b: QueuedRun, load: ReadonlyMap<string, number>): number {
  const byLoad = (load.get(a.tenant) ?? 0) - (load.get(b.tenant) ?? 0)
  if (byLoad !== 0) return byLoad
  return a.createdAt - b.createdAt
}
