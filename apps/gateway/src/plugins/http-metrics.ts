import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { HttpMetrics } from '../metrics/http-metrics.ts'

/** Counts requests when their connection is done with them: answered, or left by the client. Open routes are not counted. */
export const httpMetrics = fp<{ metrics: HttpMetrics }>(
  (app, { metrics }) => {
    app.addHook('onRequest', (request, reply, done) => {
      if (request.routeOptions.config.open === true) return done()
      const { raw } = reply
      const startedAt = performance.now()
      raw.once('close', () => {
        metrics.answered({
          route: routeOf(request),
          method: request.method,
          // What became a socket has an answer, though not one that is ever finished.
          status: raw.writableFinished || reply.statusCode === 101 ? reply.statusCode : undefined,
          durationMs: performance.now() - startedAt,
        })
      })
      done()
    })
  },
  { name: 'http-metrics' },
)

const routeOf = (request: FastifyRequest): string | undefined => (request.is404 ? undefined : request.routeOptions.url)
