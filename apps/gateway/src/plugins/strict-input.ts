import { Readable } from 'node:stream'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Type } from 'typebox'
import { oneOrAll } from '../http/one-or-all.ts'

const NOTHING = Type.Object({}, { additionalProperties: false })

/**
 * Routes that name no parameters or no body take none: what a client asks for is honoured or refused, never left out.
 * Open routes are for probes and browsers, which add what they like.
 */
export const strictInput = fp(
  (app) => {
    app.addHook('onRoute', (route) => {
      if (route.config?.open === true) return
      route.schema = { ...route.schema, querystring: route.schema?.querystring ?? NOTHING }
      if (route.schema.body !== undefined) return
      route.preValidation = [refuseBody, ...[route.preValidation ?? []].flat()]
    })
  },
  { name: 'strict-input' },
)

async function refuseBody({ body, method }: FastifyRequest): Promise<void> {
  // A stream is a body that its route reads by itself.
  if (body === undefined || body === null || body instanceof Readable) return
  const isObject = typeof body === 'object' && !Array.isArray(body) && !Buffer.isBuffer(body)
  const names = isObject ? Object.keys(body) : ['body']
  if (names.length === 0) return
  throw new GatewayError(
    'INVALID_REQUEST',
    `${method} takes no body here; ${names.slice(0, 10).join(', ')} is unknown.`,
    {
      details: oneOrAll(
        names.slice(0, 10).map((field) => ({ field: field.slice(0, 80), reason: 'is not a known field' })),
      ),
    },
  )
}

/** For a route whose body may be left out: all of its fields are optional. */
export async function emptyBody(request: FastifyRequest): Promise<void> {
  request.body ??= {}
}
