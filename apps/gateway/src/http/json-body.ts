import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refuseDeepJson } from './json-depth.ts'
import { charsetOf } from './prompt-body.ts'

/** JSON has one encoding (RFC 8259); these are names of it, and of a part of it. */
const UTF_8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii'])

/**
 * Reads JSON bodies: UTF-8 alone, no deeper than the wire allows, nothing that would change a prototype. An empty one is
 * none: clients send `Content-Type: application/json` with requests that have no body, too.
 */
export function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    const text = decode(body, charsetOf(request.headers['content-type']))
    if (text === '') return undefined
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    void parse(request, text, (err, value: unknown) => (err ? reject(err) : resolve(value)))
    const value = await promise
    refuseDeepJson(value)
    return value
  })
}

function decode(body: Buffer, charset: string): string {
  if (!UTF_8.has(charset.toLowerCase())) {
    const got = JSON.stringify(charset.slice(0, 40))
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', `JSON is not read in the charset ${got}. Send UTF-8.`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (err) {
    throw new GatewayError('INVALID_JSON', 'The body is not valid JSON: it is not UTF-8.', { cause: err })
  }
}
