import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { pathOf } from './errors.ts'

/**
 * One line per request, when its connection is done with it. Without the query, which may carry a token; probes only at
 * debug. By the response's own event: a hook would have every probe pay for it.
 */
export const requestLog = fp(
  (app) => {
    const verbose = app.log.level === 'debug' || app.log.level === 'trace'
    app.addHook('onRequest', (request, reply, done) => {
      const open = request.routeOptions.config.open === true
      if (open && !verbose) return done()
      const { raw } = reply
      const startedAt = performance.now()
      raw.once('close', () => {
        if (raw.writableFinished) {
          const answer = { status: reply.statusCode, durationMs: Math.round(performance.now() - startedAt) }
          request.log[open ? 'debug' : 'info']({ ...line(request), ...answer }, 'answered')
        } else if (!open && reply.statusCode !== 101) {
          request.log.info(line(request), 'the client left before the end of the answer')
        }
      })
      done()
    })
  },
  { name: 'request-log', dependencies: ['auth'] },
)

const line = (request: FastifyRequest) => ({ method: request.method, path: pathOf(request), key: request.client.keyId })
