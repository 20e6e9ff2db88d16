import rateLimitPlugin from '@fastify/rate-limit'
import { GatewayError } from '@opencode-gateway/contracts'
import fp from 'fastify-plugin'

export interface RateLimitOptions {
  /** Requests of one key in a window, unless the key has a limit of its own. */
  max: number
  windowMs: number
}

/** Counts requests per key; where no key is asked for, per address. Open routes are not counted. */
export const rateLimit = fp<RateLimitOptions>(
  async (app, { max, windowMs }) => {
    app.addHook('onRoute', (route) => {
      if (route.config?.open === true) route.config = { ...route.config, rateLimit: false }
    })
    await app.register(rateLimitPlugin, {
      max: (request) => request.client.limits.requests ?? max,
      timeWindow: windowMs,
      keyGenerator: (request) => request.client.keyId ?? request.ip,
      errorResponseBuilder: (_request, { max, ttl }) =>
        new GatewayError('RATE_LIMITED', `The key has used its ${max} requests. Wait as long as Retry-After says.`, {
          retryAfterMs: ttl,
        }),
    })
  },
  { name: 'rate-limit', dependencies: ['auth'] },
)
