import { RunAccepted, SessionParams } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireExecutor } from '../start/executor-startup.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { runAccepted, statusUrl } from '../views/run-view.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

const schema = {
  operationId: 'retryRun',
  tags: ['sessions'],
  summary: 'Run the last prompt or command again, after it failed, timed out or was interrupted',
  description:
    'A new run with the same input and limits. The run before may have changed the workspace already: `side_effects` of its `complete` says whether that is possible.',
  params: SessionParams,
  response: {
    202: json(ref(RunAccepted), 'The new run is accepted.'),
    ...problems(
      'INVALID_REQUEST',
      'SESSION_NOT_FOUND',
      'SESSION_BUSY',
      'SESSION_CLOSED',
      'NOTHING_TO_RETRY',
      'QUEUE_FULL',
      'EXECUTOR_UNAVAILABLE',
      'SHUTTING_DOWN',
    ),
  },
}

export const retryRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions, startup }) => {
  app.post('/sessions/:id/retry', { schema, config: { newWork: true } }, async (request, reply) => {
    requireExecutor(startup())
    const id = sessionIdOf(request)
    const { run } = await sessions.retry(request.client.tenant, id, request.id)
    request.log.info({ sessionId: id, runId: run.runId }, 'the last run is tried again')
    return reply.code(202).header('location', statusUrl(id)).send(runAccepted(run))
  })
}
