import { readFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyInstance } from 'fastify'
import { documentFile } from './document-file.ts'

/** The pages below `/docs`, as an app of their own that does not listen. */
export async function buildPages(): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(swagger, {
    mode: 'static',
    specification: { document: JSON.parse(await readFile(documentFile, 'utf8')) },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { deepLinking: true, persistAuthorization: false },
    staticCSP: {
      'default-src': "'self'",
      'script-src': "'self'",
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'object-src': "'none'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
    },
  })
  return app
}
