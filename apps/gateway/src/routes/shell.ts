import { GatewayError, RunAccepted, RunResponse, SessionParams, ShellRequest } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { answerRun } from '../answers/answer-run.ts'
import { requireExecutor } from '../start/executor-startup.ts'
import { readIdempotencyKey } from '../http/idempotency.ts'
import { headers } from '../openapi/headers.ts'
import { json, runProblems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { orderRules, shellOrder } from '../orders/orders.ts'
import { readPrefer } from '../http/prefer.ts'
import { readStderr } from '../answers/read-stderr.ts'
import { statusUrl } from '../views/run-view.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

const schema = {
  operationId: 'runCommand',
  tags: ['sessions'],
  summary: 'A command for the workspace, as a run',
  description:
    'With `Prefer: wait=N` the answer waits for the end: `output` is what the command wrote to its standard output, `exit_code` is its own. Leaving does not cancel it.',
  params: SessionParams,
  headers: headers('prefer', 'idempotency-key'),
  body: ref(ShellRequest),
  response: {
    200: json(ref(RunResponse), 'The command ended, with whatever exit code.'),
    202: json(ref(RunAccepted), 'The command is accepted.'),
    ...runProblems(
      'INVALID_REQUEST',
      'INVALID_JSON',
      'SESSION_NOT_FOUND',
      'RUN_TIMEOUT',
      'RUN_CANCELLED',
      'SESSION_BUSY',
      'SESSION_CLOSED',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'UNSUPPORTED_OPTION',
      'IDEMPOTENCY_MISMATCH',
      'QUEUE_FULL',
      'RUN_FAILED',
      'EXECUTOR_UNAVAILABLE',
      'SHUTTING_DOWN',
    ),
  },
}

export const shellRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const { sessions, executor, startup } = options
  app.post('/sessions/:id/shell', { schema, config: { newWork: true } }, async (request, reply) => {
    const { body, client } = request
    if (!executor.capabilities.shell)
      throw new GatewayError('UNSUPPORTED_OPTION', `Executor "${executor.name}" runs no commands.`)
    requireExecutor(startup())
    const id = sessionIdOf(request)
    const idempotency = readIdempotencyKey(request, `POST /sessions/${id}/shell`)
    const { run, session, replayed } = await sessions.addRun(client.tenant, id, {
      ...shellOrder(body, orderRules(options, 'session', client)),
      requestId: request.id,
      onBusy: body.on_busy ?? 'queue',
      ...(idempotency === undefined ? {} : { idempotency }),
    })
    void reply.header('location', statusUrl(id))
    if (replayed) void reply.header('idempotency-replayed', 'true')
    request.log.info({ sessionId: id, runId: run.runId, replayed }, 'the run is accepted')
    const preference = readPrefer(request.headers.prefer)
    // A run that was there already may have its events anywhere in the log.
    const after = replayed ? session.firstSeq - 1 : session.lastSeq
    return answerRun(request, reply, {
      sessions,
      run,
      preference: preference.mode === 'limited' ? preference : { mode: 'async' },
      readStderr: (ended) => readStderr(sessions, ended, after),
      onClientLeft: async () => {},
    })
  })
}
