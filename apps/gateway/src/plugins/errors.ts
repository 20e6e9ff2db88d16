import { errorTable, GatewayError } from '@opencode-gateway/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { failureOf, type Failure } from '../http/failure.ts'
import { problemHeaders, problemOf } from '../http/problem.ts'

/** Every error becomes problem+json, whoever threw it. */
export const errors = fp(
  (app) => {
    app.setErrorHandler((err, request, reply) => sendProblem(request, reply, err))
    app.setNotFoundHandler((request, reply) =>
      sendProblem(
        request,
        reply,
        new GatewayError(
          'NOT_FOUND',
          `There is no ${request.method} ${pathOf(request)}. GET /docs describes the routes, GET /openapi.json lists them.`,
        ),
      ),
    )
  },
  { name: 'errors' },
)

/** Answers with the problem an error stands for, and logs what only the operator may see. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, err: unknown): FastifyReply {
  const failure = failureOf(err, request.headers['content-type'])
  log(request, failure, err)
  const context = { instance: pathOf(request), requestId: request.id, at: Date.now() }
  return reply
    .code(errorTable[failure.code].status)
    .headers(problemHeaders(failure))
    .serializer(JSON.stringify)
    .send(problemOf(failure, context))
}

/** The path of the request as answers and log lines have it: without the query, and no longer than anybody reads. */
export function pathOf({ url }: Pick<FastifyRequest, 'url'>): string {
  const path = url.split('?', 1)[0] ?? url
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}…` : path
}

const MAX_PATH = 200

function log(request: FastifyRequest, { code }: Failure, err: unknown): void {
  // Why is in the answer, under the same request id. It names what the client sent, which is not for the log.
  if (errorTable[code].status < 500) request.log.debug({ code }, 'the request was refused')
  else if (code === 'SHUTTING_DOWN') request.log.info({ code }, 'the request came during the shutdown')
  else request.log.error({ code, err }, 'the request failed')
}
