import { GatewayError, SessionParams, StreamQuery } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { SessionDetail } from '@opencode-gateway/sessions'
import { takesEventStream } from '../http/accept.ts'
import { readCursor } from '../http/cursor.ts'
import { followSession } from '../streams/follow-session.ts'
import { headers } from '../openapi/headers.ts'
import { eventStream, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { MANUAL_SSE, sessionIdOf, type RouteOptions } from './route-options.ts'

const schema = {
  operationId: 'streamSession',
  tags: ['events'],
  summary: 'The events of a session as a stream',
  description:
    'Replays the log from its beginning, or after `Last-Event-ID` or `?after=`, then follows. Ends after the last run has, unless `follow=true`.',
  security: [{ bearer: [] }, { apiKey: [] }, { streamToken: [] }],
  params: SessionParams,
  headers: headers('last-event-id'),
  querystring: ref(StreamQuery),
  response: {
    200: { description: 'Server-sent events.', content: { 'text/event-stream': eventStream } },
    204: { description: 'The reader has everything and no run is open: an EventSource stops here.', type: 'null' },
    ...problems(
      'INVALID_REQUEST',
      'INVALID_CURSOR',
      'CURSOR_AHEAD',
      'CURSOR_EXPIRED',
      'SESSION_NOT_FOUND',
      'NOT_ACCEPTABLE',
      'TOO_MANY_STREAMS',
      'SHUTTING_DOWN',
    ),
  },
} as const

export const streamRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions }) => {
  const url = '/sessions/:id/stream'

  const config = { streamToken: true }

  app.get(url, { schema, config, sse: MANUAL_SSE, exposeHeadRoute: false }, async (request, reply) => {
    const { client, headers, query } = request
    if (!takesEventStream(headers.accept)) {
      throw new GatewayError(
        'NOT_ACCEPTABLE',
        'A stream is text/event-stream. Accept that, or read GET /sessions/{id}/events.',
      )
    }
    const id = sessionIdOf(request)
    const cursor = readCursor(lastEventIdOf(headers['last-event-id']), query.after)
    const detail = await sessions.get(client.tenant, id, 1)
    const after = cursor.at === 'tail' ? detail.session.lastSeq : cursor.after
    // Only to refuse a cursor while there still is a status to do it with.
    await sessions.read(client.tenant, id, { after, limit: 1 })
    const stay = query.follow ?? false
    if (!stay && isReadToTheEnd(detail, after)) return reply.code(204).send(null)
    using slot = app.eventStreams.reserve(request)
    await slot.serve(reply, async (stream) => void (await followSession(stream, { sessions, detail, after, stay })), {
      resumed: cursor.at === 'id' && after > 0,
    })
    return reply
  })

  app.head(url, { schema: { ...schema, operationId: 'headStream', hide: true }, config }, async (request, reply) => {
    await sessions.get(request.client.tenant, sessionIdOf(request), 1)
    return reply
      .code(200)
      .type('text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store, no-transform')
      .send('')
  })
}

function lastEventIdOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

/** An idle session that has had no run yet is not over: its first run may come. */
function isReadToTheEnd({ session }: SessionDetail, after: number): boolean {
  return session.openRuns === 0 && session.lastSeq === after && after > 0
}
