import { ForkRequest, SessionCreated, SessionParams } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireExecutor } from '../start/executor-startup.ts'
import { readIdempotencyKey } from '../http/idempotency.ts'
import { headers } from '../openapi/headers.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { emptyBody } from '../plugins/strict-input.ts'
import { retentionOf } from '../orders/run-limits.ts'
import { sessionCreated } from '../views/session-view.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

const schema = {
  operationId: 'forkSession',
  tags: ['sessions'],
  summary: 'Make a session that begins as this one is',
  description:
    'With a copy of the workspace, what it began with and its repository, and with the conversation. It works on a branch of its own, `opencode/<first part of its id>`, made where the other one is, unless that one was given a `work_branch`, which they then share; without the runs and events. Only while no run is open; one that comes in meanwhile waits. It goes on when the client leaves.',
  params: SessionParams,
  headers: headers('idempotency-key'),
  body: ref(ForkRequest),
  response: {
    201: json(ref(SessionCreated), 'The new session is there.'),
    ...problems(
      'INVALID_REQUEST',
      'INVALID_JSON',
      'SESSION_NOT_FOUND',
      'WORKSPACE_NOT_FOUND',
      'SESSION_BUSY',
      'SESSION_CLOSED',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'UNSUPPORTED_OPTION',
      'IDEMPOTENCY_MISMATCH',
      'WORKSPACE_ERROR',
      'ENGINE_LOST',
      'EXECUTOR_UNAVAILABLE',
      'SHUTTING_DOWN',
      'WORKSPACE_FULL',
    ),
  },
}

export const forkRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions, startup }) => {
  app.post(
    '/sessions/:id/fork',
    { schema, preValidation: emptyBody, config: { newWork: true } },
    async (request, reply) => {
      const { body, client } = request
      const id = sessionIdOf(request)
      requireExecutor(startup())
      const idempotency = readIdempotencyKey(request, `POST /sessions/${id}/fork`)
      const order = {
        ...retentionOf(body),
        ...(body.labels === undefined ? {} : { labels: body.labels }),
        ...(idempotency === undefined ? {} : { idempotency }),
      }
      const { session, replayed } = await sessions.fork(client.tenant, id, order, app.stopping)
      request.log.info({ sessionId: id, forkId: session.sessionId, replayed }, 'the session is forked')
      if (replayed) void reply.header('idempotency-replayed', 'true')
      return reply
        .code(201)
        .header('location', `/sessions/${session.sessionId}`)
        .send(sessionCreated(session, undefined))
    },
  )
}
