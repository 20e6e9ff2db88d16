import { randomUUID } from 'node:crypto'
import { RunAccepted, RunRequest, RunResponse } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { wantsEventStream } from '../http/accept.ts'
import { answerRun } from '../answers/answer-run.ts'
import { requireExecutor } from '../start/executor-startup.ts'
import { followSession } from '../streams/follow-session.ts'
import { readIdempotencyKey } from '../http/idempotency.ts'
import { headers } from '../openapi/headers.ts'
import { eventStream, runProblems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { mostResources } from '../orders/container-resources.ts'
import { requireOptions } from '../orders/options.ts'
import { orderRulesFor, promptOrder } from '../orders/orders.ts'
import { readPrefer } from '../http/prefer.ts'
import { fillOrder } from '../orders/repository-orders.ts'
import { promptBody } from '../http/prompt-body.ts'
import { createRunWaiters } from '../answers/run-waiters.ts'
import { statusUrl } from '../views/run-view.ts'
import { MANUAL_SSE, type RouteOptions } from './route-options.ts'

const schema = {
  operationId: 'run',
  tags: ['run'],
  summary: 'Run a prompt in a session of its own and wait for the answer',
  description:
    'As plain text the body is the prompt. `Accept: text/event-stream` answers with the events themselves; `Prefer: respond-async` or `Prefer: wait=N` with 202 when the run has not ended by then.',
  consumes: ['application/json', 'text/plain', 'application/x-www-form-urlencoded'],
  headers: headers('prefer', 'idempotency-key'),
  body: ref(RunRequest),
  response: {
    200: {
      description: 'The run completed.',
      content: { 'application/json': { schema: ref(RunResponse) }, 'text/event-stream': eventStream },
    },
    202: { description: 'The run goes on.', content: { 'application/json': { schema: ref(RunAccepted) } } },
    ...runProblems(
      'INVALID_REQUEST',
      'INVALID_JSON',
      'RUN_TIMEOUT',
      'START_TIMEOUT',
      'RUN_CANCELLED',
      'BUDGET_EXCEEDED',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'UNSUPPORTED_OPTION',
      'IDEMPOTENCY_MISMATCH',
      'QUEUE_FULL',
      'RUN_FAILED',
      'MODEL_ERROR',
      'RUN_INTERRUPTED',
      'EXECUTOR_UNAVAILABLE',
      'SHUTTING_DOWN',
    ),
  },
}

export const runRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const { sessions, executor, startup, sealing } = options
  const waiters = createRunWaiters()
  // What `curl -d` sends without a header is a prompt too, as it is: nothing is decoded.
  app.addContentTypeParser(
    ['text/plain', 'application/x-www-form-urlencoded'],
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => promptBody(body, request.headers['content-type']),
  )

  app.post('/run', { schema, config: { newWork: true }, sse: MANUAL_SSE }, async (request, reply) => {
    const { body, client, headers } = request
    requireOptions(body, executor)
    requireExecutor(startup())
    using slot = wantsEventStream(headers.accept) ? app.eventStreams.reserve(request) : undefined
    const idempotency = readIdempotencyKey(request, 'POST /run')
    const sessionId = randomUUID()
    const fill = fillOrder(body, { sessionId, sealing, mostResources: mostResources(options.config) })
    const { session, run, replayed } = await sessions.create({
      tenant: client.tenant,
      requestId: request.id,
      sessionId,
      run: promptOrder(body, await orderRulesFor(options, 'run', request)),
      oneShot: true,
      ...(fill === undefined ? {} : { fill }),
      keepWorkspace: body.keep_workspace ?? false,
      ...(body.labels === undefined ? {} : { labels: body.labels }),
      ...(idempotency === undefined ? {} : { idempotency }),
    })
    if (run === undefined) throw new Error(`session "${session.sessionId}" was made without its run`)
    void reply.header('location', statusUrl(session.sessionId))
    if (replayed) void reply.header('idempotency-replayed', 'true')

    request.log.info({ sessionId: session.sessionId, runId: run.runId, replayed }, 'the run is accepted')
    using waiter = waiters.join(run.runId, { first: !replayed })
    const onClientLeft = async () => {
      if (!waiter.leave() || body.on_disconnect === 'continue') return
      request.log.info({ runId: run.runId }, 'nobody waits for the run any more, it is cancelled')
      await sessions.cancel(client.tenant, session.sessionId, run.runId)
    }
    if (slot === undefined) {
      await answerRun(request, reply, { sessions, run, preference: readPrefer(headers.prefer), onClientLeft })
      if (reply.statusCode === 202) waiter.letGoOn()
      return reply
    }
    const detail = await sessions.get(client.tenant, session.sessionId, 1)
    let ended = false
    await slot.serve(reply, async (stream) => {
      ended = await followSession(stream, { sessions, detail, after: 0, stay: false })
    })
    if (!ended && !app.stopping.aborted) await onClientLeft()
    return reply
  })
}
