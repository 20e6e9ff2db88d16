import type { ServerResponse } from 'node:http'
import { GatewayError } from '@opencode-gateway/contracts'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborted when the gateway stops to answer: whoever waits for something is to give up. */
    stopping: AbortSignal
  }
}

export interface StoppingOptions {
  /** Longest time the last answers may take to leave, milliseconds. */
  lastAnswersMs: number
}

/**
 * Lets those who wait know that the gateway stops, and gives their answers time to leave. The server then ends all
 * connections, as it must: a connection that has not sent a request yet, as browsers keep some, is not idle to it and
 * would hold it up.
 */
export const stopping = fp<StoppingOptions>(
  (app, { lastAnswersMs }) => {
    const stop = new AbortController()
    const open = new Set<ServerResponse>()
    let allAnswered: (() => void) | undefined

    function forget(this: ServerResponse): void {
      open.delete(this)
      if (open.size === 0) allAnswered?.()
    }

    async function lastAnswers(): Promise<void> {
      if (open.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      allAnswered = resolve
      const late = setTimeout(resolve, lastAnswersMs)
      await promise
      clearTimeout(late)
    }

    // On the server and not as hooks: these see every response, and cost a request next to nothing.
    app.server.on('request', (_request, response: ServerResponse) => {
      open.add(response)
      response.once('close', forget)
      if (stop.signal.aborted) response.shouldKeepAlive = false
    })
    app.decorate('stopping', stop.signal)
    app.addHook('preClose', async () => {
      for (const response of open) response.shouldKeepAlive = false
      stop.abort(new GatewayError('SHUTTING_DOWN', 'The gateway is shutting down. Try again in a moment.'))
      await lastAnswers()
    })
  },
  { name: 'stopping' },
)
