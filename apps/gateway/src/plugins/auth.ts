import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { isLoopback } from '../config/addresses.ts'
import { ownerScopes, type ApiKey, type Scope } from '../config/api-keys.ts'
import type { KeyLimits } from '../config/key-limits.ts'
import { findKey, presentedKey } from '../http/credentials.ts'
import { isForeignPage } from '../http/foreign-page.ts'
import type { StreamTokens } from '../http/stream-tokens.ts'

/** Who sends a request. */
export interface Client {
  /** Undefined where no key is asked for. */
  keyId: string | undefined
  tenant: string
  scopes: readonly Scope[]
  limits: KeyLimits
}

declare module 'fastify' {
  interface FastifyRequest {
    readonly client: Client
  }
  interface FastifyContextConfig {
    /** Needs no key: health, readiness, documentation. */
    open?: boolean
    /** Needed in place of the one that the method needs. */
    scope?: Scope
    /** Takes a stream token of the session in the path, as `?token=`, in place of a key. */
    streamToken?: boolean
  }
}

export interface AuthOptions {
  keys: readonly ApiKey[]
  streamTokens: StreamTokens
  /** Address the gateway listens on. */
  host: string
}

const anybody: Client = { keyId: undefined, tenant: 'default', scopes: ownerScopes, limits: {} }

/** Lets in who presents a key. The answer to everybody else is the same, whatever was wrong. */
export const auth = fp<AuthOptions>(
  (app, { keys, streamTokens, host }) => {
    const clients = new WeakMap<FastifyRequest, Client>()
    const loopbackOnly = isLoopback(host)
    app.decorateRequest('client', {
      getter() {
        return clients.get(this) ?? anybody
      },
    })
    app.addHook('onRequest', (request, reply, done) => {
      try {
        if (request.routeOptions.config.open !== true) letIn(request, reply)
        done()
      } catch (err) {
        done(err instanceof Error ? err : new Error('the key could not be read', { cause: err }))
      }
    })

    function letIn(request: FastifyRequest, reply: FastifyReply): void {
      const token = streamTokenOf(request)
      if (token !== undefined) return letReaderIn(request, reply, token)
      if (keys.length === 0) return refuseForeignPage(request, loopbackOnly)
      const presented = presentedKey(request.raw)
      const key = presented === undefined ? undefined : findKey(keys, presented)
      if (key === undefined) throw unauthorized()
      letInAs(request, key)
    }

    function letReaderIn(request: FastifyRequest, reply: FastifyReply, token: string): void {
      const { id = '' } = request.params as { id?: string }
      const holder = streamTokens.open(token, id.toLowerCase())
      // Made with a key that was taken away since, or before a gateway without keys got one.
      const key = keys.find(({ id: keyId }) => keyId === holder?.keyId)
      if (holder === undefined || holder.keyId !== key?.id || (keys.length > 0 && key === undefined))
        throw new GatewayError(
          'UNAUTHORIZED',
          'The stream token opens this stream no more, or never did. Get one with POST /sessions/{id}/stream-token.',
        )
      if (key !== undefined) letInAs(request, key)
      // The token alone opens it, nothing that a browser adds by itself: so a page of any origin may read.
      void reply.header('access-control-allow-origin', '*')
    }

    function letInAs(request: FastifyRequest, key: ApiKey): void {
      clients.set(request, { keyId: key.id, tenant: key.tenant, scopes: key.scopes, limits: key.limits })
      refuseScope(request, key)
    }
  },
  { name: 'auth' },
)

/** What is in place of a token that is no text opens nothing. */
function streamTokenOf({ routeOptions, query }: FastifyRequest): string | undefined {
  if (routeOptions.config.streamToken !== true) return undefined
  const { token } = query as { token?: unknown }
  return token === undefined || typeof token === 'string' ? token : ''
}

function unauthorized(): GatewayError {
  return new GatewayError(
    'UNAUTHORIZED',
    'A valid API key is required. Send it as "Authorization: Bearer <key>", "Authorization: Api-Key <key>" or "X-API-Key: <key>".',
  )
}

function refuseScope(request: FastifyRequest, { id, scopes }: ApiKey): void {
  const ofMethod: Scope = /^(GET|HEAD|OPTIONS)$/.test(request.method) ? 'read' : 'write'
  const needed = request.routeOptions.config.scope ?? ofMethod
  if (!scopes.includes(needed)) {
    throw new GatewayError('FORBIDDEN', `The key "${id}" has no scope "${needed}", which ${request.method} needs here.`)
  }
}

function refuseForeignPage(request: FastifyRequest, loopbackOnly: boolean): void {
  if (!isForeignPage(request.headers, { loopbackOnly })) return
  throw new GatewayError(
    'FORBIDDEN',
    'Without an API key the gateway does not serve web pages of other origins or requests for other host names. Set API_KEY.',
  )
}
