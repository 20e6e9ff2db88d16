import type { Store } from '@opencode-gateway/contracts'
import { sessionClosed } from './session-closed.ts'

/** Shorter work needs no second mark: no retention is as short. */
const briefMs = 1_000

/**
 * Work on what an open session holds, by whom it is in use: its retention counts from the begin of the work and, where
 * that takes, from its end. SESSION_CLOSED, also when it was closed meanwhile: what was done is gone with it.
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

/** SESSION_CLOSED. */
export async function markUse(store: Pick<Store, 'touchSession'>, sessionId: string): Promise<void> {
  if (!(await store.touchSession(sessionId, Date.now()))) throw sessionClosed(sessionId)
}
