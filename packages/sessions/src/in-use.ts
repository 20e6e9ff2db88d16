import type { Store } from '@opencode-gateway/contracts'
import { sessionClosed } from './session-closed.ts'

/** Shorter work needs no second mark: no retention is as short. */
const briefMs = 1_000

/**
 * Does work on what an open session holds, which counts as use of the session: its retention begins anew when the work
 * begins and, where that takes a while, when it ends. Throws SESSION_CLOSED when the session is closed, or was by the end
 * of the work; what was done is gone with it then.
 */
export async function inUse<T>(
  store: Pick<Store, 'touchSession'>,
  sessionId: string,
  work: () => Promise<T>,
): Promise<T> {
  const begunAt = Date.now()
  await markUse(store, sessionId)
  const result = await work()
  if (Date.now() - begunAt >= briefMs) await markUse(store, sessionId)
  return result
}

/** The retention of the session begins anew. Throws SESSION_CLOSED. */
export async function markUse(store: Pick<Store, 'touchSession'>, sessionId: string): Promise<void> {
  if (!(await store.touchSession(sessionId, Date.now()))) throw sessionClosed(sessionId)
}
