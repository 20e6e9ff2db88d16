import type { CallContext, OnGit, RunRow, SessionRow } from '@opencode-gateway/contracts'
import { asGatewayError, type LiveSessions } from '../live-sessions.ts'
import type { DeliveryResult, Ending } from './ending.ts'

export interface DeliverOptions {
  run: RunRow
  session: SessionRow
  ending: Ending
  live: Pick<LiveSessions, 'workspacesOf'>
  onGit: OnGit
}

/**
 * Commits, and pushes where that was ordered, what a completed prompt left in its repository. The work stays there in
 * any case.
 */
export async function deliver(
  { run, session, ending, live, onGit }: DeliverOptions,
  ctx: CallContext,
): Promise<DeliveryResult | undefined> {
  const { input, runId } = run
  if (input.kind !== 'prompt') return undefined
  if (ending.kind !== 'outcome' || ending.outcome.status !== 'completed') return undefined
  try {
    const workspace = await live.workspacesOf(session)?.find(session.sessionId)
    if (!workspace || !(await workspace.repository())) return undefined
    const { message = messageFor(input.prompt), ...order } = input.delivery ?? { push: false }
    return { delivered: await workspace.deliver({ runId, message, ...order }, ctx, onGit) }
  } catch (error) {
    ctx.log.warn({ err: error }, 'the work could not be delivered')
    return { error: asGatewayError(error) }
  }
}

const subjectCharacters = 72

/** The prompt, its first line as the subject. */
function messageFor(prompt: string): string {
  const text = prompt.trim()
  const [line = ''] = text.split('\n', 1)
  const subject = line.length > subjectCharacters ? `${line.slice(0, subjectCharacters - 1)}…` : line
  return subject === text ? subject : `${subject}\n\n${text.slice(0, 10_000)}`
}
