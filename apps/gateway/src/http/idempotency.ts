import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { GatewayError, type IdempotencyKey } from '@opencode-gateway/contracts'

const KEPT_MS = 24 * 3_600_000

interface KeyedRequest {
  client: { tenant: string }
  headers: IncomingHttpHeaders
  body: unknown
}

/**
 * The `Idempotency-Key` of a request, undefined without one. `route` is its scope besides the tenant. The order of a
 * body's members makes no difference, nor do credentials of git: by the digest whoever reads it could try out passwords.
 * The key of a provider counts; it is too long to be tried out.
 */
export function readIdempotencyKey({ client, headers, body }: KeyedRequest, route: string): IdempotencyKey | undefined {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    const reason = 'must have 1 to 255 visible ASCII characters'
    throw new GatewayError('INVALID_REQUEST', `The Idempotency-Key ${reason}.`, {
      details: { field: 'Idempotency-Key', reason },
    })
  }
  const digest = createHash('sha256')
    .update(JSON.stringify(sorted(withoutCredentials(body))))
    .digest('hex')
  return { tenant: client.tenant, route, key, digest, expiresAt: Date.now() + KEPT_MS }
}

function withoutCredentials(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('git_credentials' in body)) return body
  return { ...body, git_credentials: null }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value ?? null
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}
