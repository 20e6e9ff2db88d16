import Fastify, { LogController, type FastifyError, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { GateConfig } from './config.ts'
import { createDaemon } from './daemon.ts'
import { passOn } from './pass-on.ts'
import { readQuery } from './query.ts'
import { Refusal } from './refusal.ts'
import { containerRoutes } from './routes/containers.ts'
import { eventRoutes } from './routes/events.ts'
import { imageRoutes } from './routes/images.ts'
import { unreachable } from './unreachable.ts'
import { whileConnected } from './while-connected.ts'

/** Of a container's environment the configuration is most. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024
const DEADLINE_MS = 10_000

export interface GateOptions {
  config: GateConfig
  logger?: FastifyServerOptions['logger']
}

/** The gate: whatever has no route here does not reach the daemon. */
export function createGate({ config, logger = false }: GateOptions): FastifyInstance {
  const daemon = createDaemon(config.daemon, config.connections)
  const app = Fastify({
    logger,
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    logController: new LogController({ disableRequestLogging: true }),
    // Waits last as long as their containers; what is quick has a deadline of its own.
    requestTimeout: 60_000,
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 1024 },
    rewriteUrl: ({ url = '/' }) => url.replace(/^\/v1\.\d{1,3}(?=\/)/, ''),
  })
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // A client of the daemon names the type even where it sends nothing.
    if (body === '') return done(null, undefined)
    return parse(request, String(body), done)
  })

  app.setErrorHandler<FastifyError | Refusal>((error, request, reply) => {
    const { method, url } = request
    if (error instanceof Refusal) {
      const text = { method, path: url.split('?')[0], status: error.statusCode, why: error.message }
      if (error.statusCode === 404) request.log.debug(text, 'not found')
      else request.log.warn(text, 'refused')
      return reply.code(error.statusCode).send({ message: error.message })
    }
    // It was aborted because nobody waits for it any more.
    if (reply.raw.destroyed) return reply.hijack()
    const status = error.statusCode ?? 502
    request.log.error({ method, path: url.split('?')[0], err: error }, 'a call failed')
    const message = status < 500 ? error.message : unreachable(error)
    return reply.code(status).send({ message })
  })
  app.setNotFoundHandler(({ method, url }) => {
    throw new Refusal(`${method} ${url.split('?')[0]} is not among the calls that are allowed`)
  })

  app.addHook('onResponse', async ({ method, url, log }, { statusCode: status }) => {
    if (method !== 'GET' && status < 400) log.info({ method, path: url.split('?')[0], status }, 'passed on')
  })

  for (const url of ['/_ping', '/version']) {
    app.get(url, async (request, reply) => {
      readQuery(request.query, {})
      const signal = whileConnected(reply, DEADLINE_MS)
      return await passOn(reply, await daemon.call({ method: 'GET', path: url, signal }))
    })
  }
  containerRoutes(app, { config, daemon })
  eventRoutes(app, { config, daemon })
  imageRoutes(app, { config, daemon })
  app.addHook('onClose', () => daemon.close())
  return app
}
