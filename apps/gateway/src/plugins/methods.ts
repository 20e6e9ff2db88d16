import http from 'node:http'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyInstance, HTTPMethods } from 'fastify'
import { pathOf } from './errors.ts'

/** All that Node reads; CONNECT never gets to a route. */
const METHODS: readonly HTTPMethods[] = http.METHODS.filter((method) => method !== 'CONNECT')

/**
 * Answers a method that a path does not have with 405, and OPTIONS with the list of those it has, for the paths that are
 * registered from now on. A route for each of them would be a thousand routes.
 */
export function refuseOtherMethods(app: FastifyInstance): void {
  const paths = new Map<string, { pattern: RegExp; known: Set<string> }>()
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  app.addHook('onRoute', ({ url, method }) => {
    const path = paths.get(url) ?? { pattern: patternOf(url), known: new Set() }
    for (const name of [method].flat()) path.known.add(name)
    paths.set(url, path)
  })
  app.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return
    const [path = ''] = request.url.split('?', 1)
    const known = [...paths.values()].flatMap(({ pattern, known }) => (pattern.test(path) ? [...known] : []))
    if (known.length === 0) return
    const allow = [...new Set([...known, 'OPTIONS'])].join(', ')
    reply.header('allow', allow)
    if (request.method === 'OPTIONS') return reply.code(204).send()
    throw new GatewayError('METHOD_NOT_ALLOWED', `${pathOf(request)} does not have ${request.method}. Use ${allow}.`)
  })
}

/** Of the paths of a route, as the router reads it. */
function patternOf(url: string): RegExp {
  const literal = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replace(/:\w+/g, '[^/]+').replace(/\*$/, '.*')}$`)
}
