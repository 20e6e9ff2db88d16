import type { RunRow, SessionRow, Store } from '@opencode-gateway/contracts'

/** Runs shown with a session, unless more are open; older ones are in the log. */
const runsShown = 50

/** The one that works is among them, however many wait behind it, one that was added just now included. */
export function latestRuns(
  store: Store,
  { sessionId, openRuns }: SessionRow,
  shown = runsShown,
): Promise<readonly RunRow[]> {
  return store.listRuns(sessionId, Math.max(shown, openRuns + 1))
}

/** What a prompt goes on with: commands of a shell have no model; behind very many of them it is no longer found. */
export async function latestPrompt(store: Store, session: SessionRow): Promise<RunRow | undefined> {
  const latest = (await store.listRuns(session.sessionId, 1)).at(-1)
  if (!latest || latest.input.kind === 'prompt') return latest
  return (await latestRuns(store, session)).findLast(({ input }) => input.kind === 'prompt')
}
