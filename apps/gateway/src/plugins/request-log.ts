import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { pathOf } from './errors.ts'

/** One line per request, when it is over. Without the query, which may carry a token; probes only at debug. */
export const requestLog = fp(
  (app) => {
    const verbose = app.log.level === 'debug' || app.log.level === 'trace'
    app.addHook('onRequest', (request, reply, done) => {
      if (request.routeOptions.config.open !== true) {
        reply.raw.once('close', () => {
          if (!reply.raw.writableFinished && reply.statusCode !== 101)
            request.log.info(line(request), 'the client left before the end of the answer')
        })
      }
      done()
    })
    app.addHook('onResponse', (request, reply, done) => {
      const level = request.routeOptions.config.open === true ? 'debug' : 'info'
      if (level === 'info' || verbose) {
        request.log[level](
          { ...line(request), status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) },
          'answered',
        )
      }
      done()
    })
  },
  { name: 'request-log', dependencies: ['auth'] },
)

const line = (request: FastifyRequest) => ({ method: request.method, path: pathOf(request), key: request.client.keyId })
