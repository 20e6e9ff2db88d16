import type { ExecutorHealth } from '@opencode-gateway/contracts'
import type { RunLoad } from '@opencode-gateway/sessions'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Metrics } from '../metrics/metrics.ts'
import { problems } from '../openapi/responses.ts'

export interface MetricsRouteOptions {
  metrics: Metrics
  /** How the engine is; asked at every scrape. */
  health: () => Promise<ExecutorHealth | undefined>
  /** How many runs there are; asked at every scrape. */
  load: () => Promise<RunLoad>
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

export const metricsRoute: FastifyPluginAsyncTypebox<MetricsRouteOptions> = async (app, { metrics, health, load }) => {
  app.get('/metrics', { schema }, async (_request, reply) => {
    // Without the store the other metrics are worth all the more; its own failure is told where it is used.
    const [engine, runs] = await Promise.all([health(), load().catch(() => undefined)])
    metrics.engine.saw(engine)
    metrics.runs.saw(runs)
    return reply
      .header('cache-control', 'no-store')
      .type(metrics.contentType)
      .send(await metrics.render())
  })
}
