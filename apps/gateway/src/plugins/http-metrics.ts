import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { HttpMetrics } from '../metrics/http-metrics.ts'

/** Counts every request when its connection is done with it: answered, or left by the client. */
export const httpMetrics = fp<{ metrics: HttpMetrics }>(
  (app, { metrics }) => {
    app.addHook('onRequest', (request, reply, done) => {
      const { raw } = reply
      raw.once('close', () => {
        metrics.answered({
          route: routeOf(request),
          method: request.method,
          status: raw.writableFinished ? reply.statusCode : undefined,
          durationMs: reply.elapsedTime,
        })
      })
      done()
    })
  },
  { name: 'http-metrics' },
)

const routeOf = (request: FastifyRequest): string | undefined => (request.is404 ? undefined : request.routeOptions.url)
