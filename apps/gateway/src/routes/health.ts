import { Health, Healthz, Readiness } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { json } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import type { ReadinessChecks } from '../start/readiness.ts'

export interface HealthOptions {
  version: string
  readiness: ReadinessChecks
}

const tags = ['gateway']
const security: [] = []

const health = {
  tags,
  security,
  operationId: 'health',
  summary: 'Liveness',
  response: { 200: json(ref(Health), 'Alive.') },
}
const healthz = {
  tags,
  security,
  operationId: 'healthz',
  summary: 'Liveness',
  response: { 200: json(ref(Healthz), 'Alive.') },
}
const ready = {
  tags,
  security,
  operationId: 'ready',
  summary: 'Readiness: every check with its result',
  response: {
    200: json(ref(Readiness), 'Ready for work.'),
    503: json(ref(Readiness), 'Not ready; `checks` says why.'),
  },
}

/** Health and readiness need no key; health looks at nothing but the process. */
export const healthRoutes: FastifyPluginAsyncTypebox<HealthOptions> = async (app, { version, readiness }) => {
  // Probes ask every few seconds and show nothing to a browser: they go without its headers.
  const options = { config: { open: true }, helmet: false } as const
  const now = () => new Date().toISOString()

  app.get('/health', { schema: health, ...options }, () => ({ status: 'healthy', version, timestamp: now() }) as const)
  app.get('/healthz', { schema: healthz, ...options }, () => ({ status: 'ok', version, timestamp: now() }) as const)
  app.get('/ready', { schema: ready, ...options }, async (_request, reply) => {
    const checks = await readiness.check()
    const isReady = Object.values(checks).every(({ ok }) => ok)
    void reply.header('cache-control', 'no-store')
    return reply
      .code(isReady ? 200 : 503)
      .send({ status: isReady ? 'ready' : 'not_ready', version, timestamp: now(), checks })
  })
}
