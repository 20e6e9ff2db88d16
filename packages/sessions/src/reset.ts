import { GatewayError, type SessionRow, type Store, type Workspace } from '@opencode-gateway/contracts'
import { sessionNotFound } from './follow.ts'
import type { Holds } from './queue/holds.ts'
import { inUse } from './in-use.ts'
import { sessionClosed } from './session-closed.ts'

export interface ResetDeps {
  store: Pick<Store, 'getSession' | 'getRun' | 'touchSession'>
  holds: Holds
  workspaceOf(session: SessionRow): Promise<Workspace>
}

/** Makes the workspace of a session what it was at the start, or after a run; no run begins meanwhile. */
export async function resetWorkspace(
  { store, holds, workspaceOf }: ResetDeps,
  { sessionId, after }: { sessionId: string; after: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  using _hold = await holds.take(sessionId, signal)
  const session = await idleSession(store, sessionId)
  if (after !== undefined && (await store.getRun(after))?.sessionId !== sessionId) {
    throw new GatewayError('RUN_NOT_FOUND', `Session "${sessionId}" has no run "${after}".`)
  }
  const workspace = await workspaceOf(session)
  await inUse(store, sessionId, () => workspace.reset(after, signal))
}

/** A session that is held, as it is now. SESSION_CLOSED, SESSION_BUSY while a run works or waits. */
export async function idleSession(store: Pick<Store, 'getSession'>, sessionId: string): Promise<SessionRow> {
  const session = await store.getSession(sessionId)
  if (!session) throw sessionNotFound(sessionId)
  if (session.closedAt !== undefined) throw sessionClosed(sessionId)
  if (session.openRuns === 0) return session
  const text = `Session "${sessionId}" has a run that works or waits. Cancel it, or wait for its end.`
  throw new GatewayError('SESSION_BUSY', text, { retryAfterMs: 1_000 })
}
