import { Readable } from 'node:stream'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Hands bodies of all types to the routes registered here as they arrive. */
export function takeRawBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
}

/**
 * The body, which may be destroyed without the connection: the answer goes out on it. PAYLOAD_TOO_LARGE as soon as it
 * is known.
 */
export function rawBody({ headers, raw }: FastifyRequest, maxBytes: number): Readable {
  const announced = Number(headers['content-length'] ?? 0)
  if (announced > maxBytes) throw tooLarge(announced, maxBytes)
  return Readable.from(chunksOf(raw, maxBytes), { objectMode: false })
}

async function* chunksOf(body: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length
      if (bytes > maxBytes) throw tooLarge(bytes, maxBytes)
      yield chunk as Buffer
    }
  } catch (err) {
    if (err instanceof GatewayError) throw err
    throw new GatewayError('INVALID_REQUEST', 'The body broke off before its end.', { cause: err })
  } finally {
    // Node reads to its end only a body that nobody has begun to read; the next request comes after it. However long the
    // rest is, the time limit of requests ends it.
    body.resume()
  }
}

const tooLarge = (bytes: number, maxBytes: number): GatewayError =>
  new GatewayError('PAYLOAD_TOO_LARGE', `The body has ${bytes} bytes or more; ${maxBytes} are allowed.`)
