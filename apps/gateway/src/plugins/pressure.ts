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

/** How often the lag since the last time is looked at, milliseconds. */
const SAMPLE_MS = 1_000

export const pressure = fp<PressureOptions>(
  async (app, { maxEventLoopDelayMs }) => {
    let ofStart = true
    let timer: NodeJS.Timeout | undefined
    const wait = (samples: number): void => {
      ofStart = samples > 0
      if (ofStart) timer = setTimeout(() => wait(samples - 1), SAMPLE_MS)
    }
    // The first sample after the start has its lag in it; the second one replaces it.
    app.addHook('onListen', async () => wait(2))
    app.addHook('onClose', async () => clearTimeout(timer))
    await app.register(underPressure, {
      maxEventLoopDelay: maxEventLoopDelayMs,
      sampleInterval: SAMPLE_MS,
      pressureHandler: async (request, _reply, type, value) => {
        if (ofStart || request.routeOptions.config.newWork !== true) return
        request.log.warn({ type, value }, 'new work is refused while the process lags')
        throw new GatewayError('OVERLOADED', 'The gateway lags and takes no new work. Try again in a moment.')
      },
    })
  },
  { name: 'pressure' },
)
