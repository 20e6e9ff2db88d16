import {
  GatewayError,
  MessageList,
  MessageRequest,
  RunAccepted,
  SessionParams,
  type LogEvent,
} from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { SessionDetail } from '@opencode-gateway/sessions'
import { requireExecutor } from '../start/executor-startup.ts'
import { readIdempotencyKey } from '../http/idempotency.ts'
import { headers } from '../openapi/headers.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { requireOptions } from '../orders/options.ts'
import { orderRulesFor, promptOrder } from '../orders/orders.ts'
import { conversationOf } from '../views/conversation.ts'
import { runAccepted, statusUrl } from '../views/run-view.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

/** The newest events a conversation is made of; older messages are left out, and the answer says so. */
const MAX_EVENTS = 5000
const PAGE = { limit: 1000, maxBytes: 1_048_576 }

const post = {
  operationId: 'sendMessage',
  tags: ['sessions'],
  summary: 'A follow-up prompt: a new run of the session',
  params: SessionParams,
  headers: headers('idempotency-key'),
  body: ref(MessageRequest),
  response: {
    202: json(ref(RunAccepted), 'The run is accepted.'),
    ...problems(
      'INVALID_REQUEST',
      'INVALID_JSON',
      'SESSION_NOT_FOUND',
      'SESSION_BUSY',
      'SESSION_CLOSED',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'UNSUPPORTED_OPTION',
      'IDEMPOTENCY_MISMATCH',
      'QUEUE_FULL',
      'EXECUTOR_UNAVAILABLE',
      'SHUTTING_DOWN',
    ),
  },
}

const get = {
  operationId: 'listMessages',
  tags: ['sessions'],
  summary: 'The conversation: what was asked and what came of it',
  params: SessionParams,
  response: {
    200: json(ref(MessageList), 'The messages, oldest first.'),
    ...problems('INVALID_REQUEST', 'SESSION_NOT_FOUND'),
  },
}

export const messageRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const { sessions, executor, startup } = options

  async function newestEvents({ session }: SessionDetail): Promise<{ events: LogEvent[]; truncated: boolean }> {
    const { tenant, sessionId, lastSeq, firstSeq } = session
    const oldest = Math.max(firstSeq - 1, lastSeq - MAX_EVENTS, 0)
    const events: LogEvent[] = []
    for (let after = oldest; after < lastSeq; after = events.at(-1)?.seq ?? lastSeq) {
      const page = await sessions.read(tenant, sessionId, { ...PAGE, after })
      if (page.events.length === 0) break
      events.push(...page.events)
    }
    return { events, truncated: oldest > 0 }
  }

  app.post('/sessions/:id/messages', { schema: post, config: { newWork: true } }, async (request, reply) => {
    const { body, client } = request
    requireOptions(body, executor)
    requireFollowUps(executor)
    requireExecutor(startup())
    const id = sessionIdOf(request)
    const idempotency = readIdempotencyKey(request, `POST /sessions/${id}/messages`)
    const { run, replayed } = await sessions.addRun(client.tenant, id, {
      ...promptOrder(body, await orderRulesFor(options, 'session', request)),
      requestId: request.id,
      onBusy: body.on_busy ?? 'queue',
      ...(idempotency === undefined ? {} : { idempotency }),
    })
    request.log.info({ sessionId: id, runId: run.runId, replayed }, 'the run is accepted')
    if (replayed) void reply.header('idempotency-replayed', 'true')
    return reply.code(202).header('location', statusUrl(id)).send(runAccepted(run))
  })

  app.get('/sessions/:id/messages', { schema: get }, async (request) => {
    const detail = await sessions.get(request.client.tenant, sessionIdOf(request))
    const { events, truncated } = await newestEvents(detail)
    return { messages: conversationOf(detail.runs, events), truncated }
  })
}

function requireFollowUps({ name, capabilities }: RouteOptions['executor']): void {
  if (capabilities.followUps) return
  throw new GatewayError('UNSUPPORTED_OPTION', `Executor "${name}" takes one run per session. Make another session.`)
}
