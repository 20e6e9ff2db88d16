import { withSignal, type AgentSession, type Log } from '@opencode-gateway/contracts'

/** Ends what an agent still does that the run has not come to hold. Never rejects. */
export async function quieten(opened: AgentSession, { graceMs, log }: { graceMs: number; log: Log }): Promise<void> {
  const signal = AbortSignal.timeout(graceMs)
  try {
    await withSignal(opened.cancel({ signal, log }), signal)
  } catch (err) {
    log.warn({ err }, 'the executor did not confirm that a run which cannot go on is cancelled')
  }
}
