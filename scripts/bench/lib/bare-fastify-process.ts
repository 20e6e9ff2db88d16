// What the gateway's health route is compared with: one route, the same logger setting, nothing else.
import Fastify, { LogController } from 'fastify'
import { pino } from 'pino'
import { serveBench } from './serve.ts'

await serveBench(async () => {
  const app = Fastify({
    loggerInstance: pino({ level: 'info' }),
    logController: new LogController({ disableRequestLogging: true }),
  })
  app.get('/healthz', () => ({ status: 'ok', version: '0.1.0', timestamp: new Date().toISOString() }))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, close: async () => void (await app.close()) }
})
