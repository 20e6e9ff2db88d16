import { randomUUID } from 'node:crypto'
import {
  CancelRequest,
  CancelResponse,
  Session,
  SessionCreated,
  SessionList,
  SessionListQuery,
  SessionParams,
  SessionRequest,
  SessionStatus,
} from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { readListCursor, writeListCursor } from '../http/cursor.ts'
import { requireExecutor } from '../start/executor-startup.ts'
import { readIdempotencyKey } from '../http/idempotency.ts'
import { headers } from '../openapi/headers.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { mostResources } from '../orders/container-resources.ts'
import { requireOptions } from '../orders/options.ts'
import { firstOrder, orderRulesFor } from '../orders/orders.ts'
import { fillOrder } from '../orders/repository-orders.ts'
import { retentionOf } from '../orders/run-limits.ts'
import { cancelResponse, sessionCreated, sessionStatus, sessionSummary, sessionView } from '../views/session-view.ts'
import { emptyBody } from '../plugins/strict-input.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

const tags = ['sessions']

const create = {
  operationId: 'createSession',
  tags,
  summary: 'Make a session and, with a prompt, start its first run',
  headers: headers('idempotency-key'),
  body: ref(SessionRequest),
  response: {
    201: json(ref(SessionCreated), 'The session is there.'),
    ...problems(
      'INVALID_REQUEST',
      'INVALID_JSON',
      'SESSION_EXISTS',
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

const list = {
  operationId: 'listSessions',
  tags,
  summary: 'Sessions, newest first',
  querystring: ref(SessionListQuery),
  response: { 200: json(ref(SessionList), 'A page.'), ...problems('INVALID_REQUEST', 'INVALID_CURSOR') },
}

const get = {
  operationId: 'getSession',
  tags,
  summary: 'A session, its latest runs and its pending asks',
  params: SessionParams,
  response: { 200: json(ref(Session), 'The session.'), ...problems('INVALID_REQUEST', 'SESSION_NOT_FOUND') },
}

const status = {
  operationId: 'getSessionStatus',
  tags,
  summary: 'The short form for pollers',
  params: SessionParams,
  response: {
    200: json(ref(SessionStatus), 'Where the session is.'),
    ...problems('INVALID_REQUEST', 'SESSION_NOT_FOUND'),
  },
}

const done = json(ref(CancelResponse), 'Nothing of it works any more.')
const cancelled = {
  tags,
  params: SessionParams,
  body: ref(CancelRequest),
  response: {
    200: done,
    ...problems(
      'INVALID_REQUEST',
      'INVALID_JSON',
      'SESSION_NOT_FOUND',
      'RUN_NOT_FOUND',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
    ),
  },
}
const cancel = {
  ...cancelled,
  operationId: 'cancelSession',
  summary: 'Cancel the current run and the queued ones, or one of them',
}
const stop = { ...cancelled, operationId: 'stopSession', summary: 'Another name of cancel' }
const remove = {
  operationId: 'deleteSession',
  tags,
  summary: 'Cancel, and release the workspace',
  params: SessionParams,
  response: { 200: done, ...problems('INVALID_REQUEST', 'SESSION_NOT_FOUND') },
}

export const sessionRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const { sessions, executor, startup, sealing } = options

  app.post('/sessions', { schema: create, config: { newWork: true } }, async (request, reply) => {
    const { body, client } = request
    requireOptions(body, executor)
    const order = firstOrder(body, await orderRulesFor(options, 'session', request))
    const sessionId = body.session_id?.toLowerCase() ?? randomUUID()
    const fill = fillOrder(body, { sessionId, sealing, mostResources: mostResources(options.config) })
    if (order !== undefined) requireExecutor(startup())
    const idempotency = readIdempotencyKey(request, 'POST /sessions')
    const { session, run, replayed } = await sessions.create({
      tenant: client.tenant,
      requestId: request.id,
      sessionId,
      ...(body.executor === undefined ? {} : { executor: body.executor }),
      ...(body.labels === undefined ? {} : { labels: body.labels }),
      ...retentionOf(body),
      ...(fill === undefined ? {} : { fill }),
      ...(order === undefined ? {} : { run: order }),
      ...(idempotency === undefined ? {} : { idempotency }),
    })
    request.log.info({ sessionId: session.sessionId, runId: run?.runId, replayed }, 'the session is accepted')
    if (replayed) void reply.header('idempotency-replayed', 'true')
    return reply.code(201).header('location', `/sessions/${session.sessionId}`).send(sessionCreated(session, run))
  })

  app.get('/sessions', { schema: list }, async ({ client, query }) => {
    const { status, executor, label, cursor, limit = 50 } = query
    const rows = await sessions.list({
      tenant: client.tenant,
      limit: limit + 1,
      ...(status === undefined ? {} : { status }),
      ...(executor === undefined ? {} : { executor }),
      ...(label === undefined ? {} : { label: splitLabel(label) }),
      ...(cursor === undefined ? {} : { before: readListCursor(cursor) }),
    })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    const nextCursor = rows.length > limit && last !== undefined ? writeListCursor(last) : null
    return { sessions: page.map(sessionSummary), next_cursor: nextCursor }
  })

  app.get('/sessions/:id', { schema: get }, async (request) =>
    sessionView(await sessions.get(request.client.tenant, sessionIdOf(request))),
  )

  app.get('/sessions/:id/status', { schema: status }, async (request) =>
    sessionStatus(await sessions.get(request.client.tenant, sessionIdOf(request), 1)),
  )

  app.post('/sessions/:id/cancel', { schema: cancel, preValidation: emptyBody }, async (request) =>
    cancelResponse(
      await sessions.cancel(request.client.tenant, sessionIdOf(request), request.body.run_id?.toLowerCase()),
    ),
  )

  app.post('/sessions/:id/stop', { schema: stop, preValidation: emptyBody }, async (request) =>
    cancelResponse(
      await sessions.cancel(request.client.tenant, sessionIdOf(request), request.body.run_id?.toLowerCase()),
    ),
  )

  app.delete('/sessions/:id', { schema: remove }, async (request) =>
    cancelResponse(await sessions.remove(request.client.tenant, sessionIdOf(request))),
  )
}

function splitLabel(label: string): { name: string; value: string } {
  const [name = '', ...value] = label.split('=')
  return { name, value: value.join('=') }
}
