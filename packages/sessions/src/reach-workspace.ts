import { GatewayError, type SessionRow, type Store, type Workspace } from '@opencode-gateway/contracts'
import type { LiveSessions } from './live-sessions.ts'
import { sessionClosed } from './session-closed.ts'

export interface ReachWorkspaceOptions {
  store: Store
  live: Pick<LiveSessions, 'workspacesOf'>
  /** Settles when one that is made is not taken for a leftover. */
  mayMake(): Promise<void>
}

/** The workspace of a session; with `make` one is made where it has none yet and begins empty. Throws WORKSPACE_NOT_FOUND. */
export async function reachWorkspace(
  { store, live, mayMake }: ReachWorkspaceOptions,
  session: SessionRow,
  { make }: { make: boolean },
): Promise<Workspace> {
  const { sessionId, executor, closedAt } = session
  const workspaces = live.workspacesOf(session)
  if (!workspaces) {
    throw new GatewayError('UNSUPPORTED_OPTION', `The files of executor "${executor}" cannot be reached.`)
  }
  if (closedAt !== undefined && make) throw sessionClosed(sessionId)
  const found = await workspaces.find(sessionId)
  if (found) return found
  // A repository is cloned into an empty directory, by the first run.
  if (make && !(await store.getFill(sessionId))?.repository) {
    await mayMake()
    // From now on it holds something: what nobody is known to hold is swept at the next start.
    if (session.ref === undefined) await store.setRef(sessionId, { executor, session_id: sessionId })
    return await workspaces.make(sessionId)
  }
  throw new GatewayError(
    'WORKSPACE_NOT_FOUND',
    `Session "${sessionId}" has no workspace: it has not begun to work, or its files have been removed.`,
  )
}
