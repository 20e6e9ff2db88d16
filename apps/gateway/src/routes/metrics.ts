import type { ExecutorHealth } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Metrics } from '../metrics/metrics.ts'
import { problems } from '../openapi/responses.ts'

export interface MetricsRouteOptions {
  metrics: Metrics
  /** How the engine is; asked at every scrape. */
  health: () => Promise<ExecutorHealth | undefined>
}

const schema = {
  operationId: 'metrics',
  tags: ['gateway'],
  summary: 'Metrics for Prometheus; on a port of its own with METRICS_PORT',
  response: {
    200: {
      description: 'The text format of Prometheus.',
      content: { 'text/plain': { schema: Type.String() } },
    },
    ...problems(),
  },
}

export const metricsRoute: FastifyPluginAsyncTypebox<MetricsRouteOptions> = async (app, { metrics, health }) => {
  app.get('/metrics', { schema }, async (_request, reply) => {
    metrics.engine.saw(await health())
    return reply
      .header('cache-control', 'no-store')
      .type(metrics.contentType)
      .send(await metrics.render())
  })
}
