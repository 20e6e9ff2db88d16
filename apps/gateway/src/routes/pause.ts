import { GatewayError, SessionParams } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../openapi/responses.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

const schema = {
  operationId: 'pauseSession',
  tags: ['sessions'],
  summary: 'Not possible: OpenCode cannot pause a run',
  description:
    'Answers 422 with what to do instead: cancel the run, and go on with a message later. The conversation and the workspace stay.',
  params: SessionParams,
  response: problems('INVALID_REQUEST', 'SESSION_NOT_FOUND', 'UNSUPPORTED_OPTION'),
}

export const pauseRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions }) => {
  app.post('/sessions/:id/pause', { schema }, async (request) => {
    const id = sessionIdOf(request)
    await sessions.get(request.client.tenant, id, 1)
    throw new GatewayError(
      'UNSUPPORTED_OPTION',
      `OpenCode cannot pause a run. Use POST /sessions/${id}/cancel and, to go on, POST /sessions/${id}/messages: the conversation and the workspace stay.`,
    )
  })
}
