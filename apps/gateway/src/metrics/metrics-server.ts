import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { sharedSchemas } from '../openapi/shared-schemas.ts'
import { errors } from '../plugins/errors.ts'
import { requestIdOf } from '../http/request-id.ts'
import { metricsRoute, type MetricsRouteOptions } from '../routes/metrics.ts'

/** A listener with nothing but the metrics, for a port that only the operator's network reaches: it asks for no key. */
export async function buildMetricsServer(
  options: MetricsRouteOptions & { log: FastifyBaseLogger },
): Promise<FastifyInstance> {
  const { log, ...routeOptions } = options
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    bodyLimit: 1024,
    requestTimeout: 10_000,
    forceCloseConnections: true,
  })
  for (const schema of sharedSchemas()) app.addSchema(schema)
  await app.register(errors)
  await app.register(metricsRoute, routeOptions)
  return app
}
