import type { CallContext, RunRow, SessionRow } from '@opencode-gateway/contracts'
import type { LiveSessions } from '../live-sessions.ts'

export interface RememberOptions {
  run: RunRow
  session: SessionRow
  live: Pick<LiveSessions, 'workspacesOf'>
}

/** Remembers what a run left in the workspace, so that one can come back to it. The run has ended well without it. */
export async function rememberWork({ run, session, live }: RememberOptions, ctx: CallContext): Promise<void> {
  if (session.oneShot && !session.keepWorkspace) return
  try {
    const workspace = await live.workspacesOf(session)?.find(session.sessionId)
    await workspace?.checkpoint(run.runId, ctx.signal)
  } catch (err) {
    ctx.log.warn({ err }, 'what the run left in the workspace could not be remembered')
  }
}
