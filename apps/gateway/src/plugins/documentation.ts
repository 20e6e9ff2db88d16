import { createReadStream } from 'node:fs'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { documentFile } from '../openapi/document-file.ts'

/**
 * The document of the routes, and pages to read it. They need no key, the requests sent from a page do. Most gateways
 * are never asked for the pages, so what makes them is loaded by the first request for one.
 */
export const documentation = fp(
  async (app) => {
    const options = { config: { open: true }, schema: { hide: true } }
    let pages: Promise<FastifyInstance> | undefined
    const readPage = async ({ method, url, headers }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      pages ??= import('../openapi/pages.ts').then(({ buildPages }) => buildPages())
      const page = await (await pages).inject({ method: method === 'HEAD' ? 'HEAD' : 'GET', url, headers })
      if (page.statusCode === 404) {
        reply.callNotFound()
        return reply
      }
      return reply.code(page.statusCode).headers(page.headers).send(page.rawPayload)
    }
    app.addHook('onClose', async () => (await pages?.catch(() => undefined))?.close())
    app.get('/docs', options, readPage)
    app.get('/docs/*', options, readPage)
    app.get('/openapi.json', options, (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(createReadStream(documentFile)),
    )
  },
  { name: 'documentation' },
)
