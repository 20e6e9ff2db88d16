import type { RunRow } from '@opencode-gateway/contracts'
import type { Sessions } from '@opencode-gateway/sessions'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { awaitRun } from './await-run.ts'
import { pathOf } from '../plugins/errors.ts'
import type { Preference } from '../http/prefer.ts'
import { PROBLEM_TYPE } from '../http/problem.ts'
import { runAnswer } from '../views/run-answer.ts'
import { runAccepted } from '../views/run-view.ts'

export interface AnswerRunOptions {
  sessions: Pick<Sessions, 'waitForRun'>
  run: RunRow
  preference: Preference
  /** What of a command's standard error to add; read once the run has ended. */
  readStderr?: (ended: RunRow) => Promise<string>
  /** Called when the client leaves before the answer. */
  onClientLeft: () => Promise<void>
}

/** Answers with the end of a run, or with 202 where the client prefers not to wait that long. */
export async function answerRun(
  request: FastifyRequest,
  reply: FastifyReply,
  options: AnswerRunOptions,
): Promise<FastifyReply> {
  const { sessions, run, preference } = options
  if (preference.mode === 'async') return accepted(reply, run, 'respond-async')
  const waited = await awaitRun({
    sessions,
    run,
    response: reply.raw,
    stopping: request.server.stopping,
    ...(preference.mode === 'limited' ? { waitMs: preference.waitMs } : {}),
  })
  switch (waited.status) {
    case 'ended':
      return sendAnswer(request, reply, waited.run, await options.readStderr?.(waited.run))
    case 'still_working':
      return accepted(reply, run, preference.mode === 'limited' ? preference.applied : undefined)
    case 'client_left':
      await options.onClientLeft()
      return reply.hijack()
  }
}

function accepted(reply: FastifyReply, run: RunRow, applied: string | undefined): FastifyReply {
  if (applied !== undefined) void reply.header('preference-applied', applied)
  return reply.code(202).send(runAccepted(run))
}

function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  run: RunRow,
  stderr: string | undefined,
): FastifyReply {
  const answer = runAnswer(run, {
    requestId: request.id,
    instance: pathOf(request),
    at: Date.now(),
    ...(stderr === undefined ? {} : { stderr }),
  })
  if (answer.success) return reply.code(200).send(answer.body)
  request.log.info({ sessionId: run.sessionId, runId: run.runId, code: answer.code }, 'the run did not complete')
  return reply.code(answer.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(answer.body)
}
