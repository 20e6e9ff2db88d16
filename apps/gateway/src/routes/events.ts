import { EventPage, EventsQuery, SessionParams } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { clientGone } from '../http/client-gone.ts'
import { readCursor } from '../http/cursor.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { eventFrame } from '../views/event-frame.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

/** Bytes of events in one page, about. */
const PAGE_BYTES = 1_048_576

const schema = {
  operationId: 'listEvents',
  tags: ['events'],
  summary: 'The events of a session as pages',
  description:
    'The same log as the stream. With `wait` an empty page is held back until there is an event, or the time is over.',
  params: SessionParams,
  querystring: ref(EventsQuery),
  response: {
    200: json(ref(EventPage), 'A page.'),
    ...problems('INVALID_REQUEST', 'INVALID_CURSOR', 'CURSOR_AHEAD', 'CURSOR_EXPIRED', 'SESSION_NOT_FOUND'),
  },
}

export const eventRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions }) => {
  /** Settles with the first event after the cursor, the end of the last run, or the end of the time. */
  async function waitForEvent(tenant: string, id: string, after: number, signal: AbortSignal): Promise<void> {
    for await (const { events, ended } of sessions.follow(tenant, id, { after, limit: 1, signal })) {
      if (events.length > 0 || ended) return
    }
  }

  app.get('/sessions/:id/events', { schema }, async (request, reply) => {
    const { tenant } = request.client
    const { after: given, limit = 100, wait = 0 } = request.query
    const id = sessionIdOf(request)
    const cursor = readCursor(undefined, given)
    const after = cursor.at === 'tail' ? (await sessions.get(tenant, id, 1)).session.lastSeq : cursor.after
    const options = { after, limit, maxBytes: PAGE_BYTES }
    let page = await sessions.read(tenant, id, options)
    if (page.events.length === 0 && wait > 0) {
      using gone = clientGone(reply.raw)
      const time = AbortSignal.timeout(wait * 1000)
      await waitForEvent(tenant, id, after, AbortSignal.any([gone.signal, app.stopping, time]))
      page = await sessions.read(tenant, id, options)
    }
    const { session } = await sessions.get(tenant, id, 1)
    const nextAfter = page.events.at(-1)?.seq ?? after
    return {
      events: page.events.map(eventFrame),
      next_after: nextAfter,
      last_event_id: session.lastSeq,
      ended: session.openRuns === 0 && session.lastSeq === nextAfter,
    }
  })
}
