import type { SessionRow, Store } from '@opencode-gateway/contracts'

/** Nobody can use the session any more: it is deleted, or was made for one run and holds nothing that is kept. */
export async function isOver(session: SessionRow, store: Pick<Store, 'getRun'>): Promise<boolean> {
  if (session.openRuns > 0) return false
  if (session.closedAt !== undefined) return true
  if (!session.oneShot || session.keepWorkspace) return false
  const latest = session.currentRunId === undefined ? undefined : await store.getRun(session.currentRunId)
  return latest?.complete?.workspace_kept !== true
}
