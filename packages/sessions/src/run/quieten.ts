import type { AgentSession, Log } from '@opencode-gateway/contracts'
import { orAborted } from '../waiting/or-aborted.ts'

/** Ends what an agent still does that the run has not come to hold. Never rejects. */
export async function quieten(opened: AgentSession, { graceMs, log }: { graceMs: number; log: Log }): Promise<void> {
  const signal = AbortSignal.timeout(graceMs)
  try {
    await orAborted(opened.cancel({ signal, log }), signal)
  } catch (err) {
    log.warn({ err }, 'the executor did not confirm that a run which cannot go on is cancelled')
  }
}
