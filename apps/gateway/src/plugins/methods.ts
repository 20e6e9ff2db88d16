import http from 'node:http'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyInstance, HTTPMethods } from 'fastify'
import { pathOf } from './errors.ts'

/** All that Node reads; CONNECT never gets to a route. */
const METHODS: readonly HTTPMethods[] = http.METHODS.filter((method) => method !== 'CONNECT')

/**
 * Collects which methods each path has that is registered from now on; `complete` then answers the others with 405, and
 * OPTIONS with the list.
 */
export function collectMethods(app: FastifyInstance): { complete(): void } {
  const paths = new Map<string, Set<string>>()
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  app.addHook('onRoute', ({ url, method }) => {
    const known = paths.get(url) ?? new Set()
    for (const name of [method].flat()) known.add(name)
    paths.set(url, known)
  })
  return {
    complete() {
      for (const [url, known] of paths) refuseOthers(app, url, [...known])
    },
  }
}

function refuseOthers(app: FastifyInstance, url: string, known: readonly string[]): void {
  const others = METHODS.filter((method) => method !== 'OPTIONS' && !known.includes(method))
  const allow = [...known, ...(known.includes('OPTIONS') ? [] : ['OPTIONS'])].join(', ')
  const schema = { hide: true }
  if (!known.includes('OPTIONS')) {
    app.options(url, { schema, exposeHeadRoute: false }, (_request, reply) =>
      reply.code(204).header('allow', allow).send(),
    )
  }
  if (others.length === 0) return
  app.route({
    method: others,
    url,
    schema,
    exposeHeadRoute: false,
    onRequest: async (request, reply) => {
      reply.header('allow', allow)
      throw new GatewayError('METHOD_NOT_ALLOWED', `${pathOf(request)} does not have ${request.method}. Use ${allow}.`)
    },
    handler: () => undefined,
  })
}
