import underPressure from '@fastify/under-pressure'
import { GatewayError } from '@opencode-gateway/contracts'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Starts work: refused while the process lags. Everything else still answers, so that nobody is blind. */
    newWork?: boolean
  }
}

export interface PressureOptions {
  maxEventLoopDelayMs: number
}

export const pressure = fp<PressureOptions>(
  async (app, { maxEventLoopDelayMs }) => {
    await app.register(underPressure, {
      maxEventLoopDelay: maxEventLoopDelayMs,
      pressureHandler: async (request, _reply, type, value) => {
        if (request.routeOptions.config.newWork !== true) return
        request.log.warn({ type, value }, 'new work is refused while the process lags')
        throw new GatewayError('OVERLOADED', 'The gateway lags and takes no new work. Try again in a moment.')
      },
    })
  },
  { name: 'pressure' },
)
