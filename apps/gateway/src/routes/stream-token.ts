import { SessionParams, StreamToken } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { isoTime, streamUrl } from '../views/run-view.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

const schema = {
  operationId: 'makeStreamToken',
  tags: ['events'],
  summary: 'A token that opens the stream of this session, for a reader that can send no key',
  description:
    "For the EventSource of a browser, also in a page of another origin. It is sent as `?token=` of `GET /sessions/{id}/stream`, reads that alone, and for `STREAM_TOKEN_LIFETIME`; a stream that is open then stays. It ends with the key that made it, and counts against that key's limits.",
  params: SessionParams,
  response: {
    201: json(ref(StreamToken), 'The token.'),
    ...problems('INVALID_REQUEST', 'SESSION_NOT_FOUND'),
  },
} as const

export const streamTokenRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions, streamTokens }) => {
  // Whoever may read the stream may have it read.
  app.post('/sessions/:id/stream-token', { schema, config: { scope: 'read' } }, async (request, reply) => {
    const id = sessionIdOf(request)
    await sessions.get(request.client.tenant, id, 1)
    const { token, expiresAt } = streamTokens.issue(request.client, id)
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({ token, expires_at: isoTime(expiresAt), stream_url: `${streamUrl(id)}?token=${token}` })
  })
}
