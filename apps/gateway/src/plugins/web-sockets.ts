import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { WebSocket } from 'ws'
import type { StreamMetrics } from '../metrics/stream-metrics.ts'
import { openSocketStream, type OpenSocketStream, type SocketStream } from '../streams/socket-stream.ts'
import { pathOf } from './errors.ts'

type Pump = (stream: SocketStream) => Promise<void>

export interface WebSockets {
  /**
   * Takes one of the key's streams for a request that is about to become a socket; it is given back with the connection.
   * Throws what `eventStreams.reserve` throws. The last check before the upgrade.
   */
  admit(request: FastifyRequest, reply: FastifyReply): void
  /** Tells a socket things until `pump` has settled; then it is closed, with `ended` for the reason. Never rejects. */
  serve(socket: WebSocket, request: FastifyRequest, ended: string, pump: Pump): Promise<void>
  /** Sockets open now. */
  open(): number
}

declare module 'fastify' {
  interface FastifyInstance {
    webSockets: WebSockets
  }
}

export interface WebSocketsOptions {
  heartbeatMs: number
  stallMs: number
  /** Longest time a reader has to answer the farewell of a gateway that stops, milliseconds. */
  lastAnswersMs: number
  metrics: StreamMetrics
}

/** Readers of the same things as event streams have, over WebSockets; they count as event streams. */
export const webSockets = fp<WebSocketsOptions>(
  (app, { heartbeatMs, stallMs, lastAnswersMs, metrics }) => {
    const streams = new Set<OpenSocketStream>()
    const cutAll = () => streams.forEach((stream) => stream.cut())
    let late: NodeJS.Timeout | undefined

    app.decorate('webSockets', {
      open: () => streams.size,
      admit(request, reply) {
        const slot = app.eventStreams.reserve(request)
        const { socket } = request.raw
        if (socket.destroyed) {
          // Its `close` may be over, which would give the slot back.
          slot[Symbol.dispose]()
          throw new GatewayError('INVALID_REQUEST', 'The connection was closed before the upgrade.')
        }
        socket.once('close', () => slot[Symbol.dispose]())
        // For the log and the metrics; nothing else writes the head of the answer.
        reply.raw.statusCode = 101
      },
      async serve(socket, request, ended, pump) {
        const stream = openSocketStream({ socket, heartbeatMs, stallMs, onDropped: () => metrics.dropped() })
        streams.add(stream)
        metrics.opened({ resumed: false })
        request.log.info({ path: pathOf(request), key: request.client.keyId }, 'a socket is open')
        if (app.stopping.aborted) sayGoodbye(stream)
        try {
          await pump(stream)
          stream.leave({ code: 1000, reason: ended })
        } catch (err) {
          if (!stream.signal.aborted) request.log.error({ err }, 'what a socket was told broke off')
          stream.leave({ code: 1011, reason: 'Internal error.' })
        }
        await stream.closed
        streams.delete(stream)
        metrics.closed()
      },
    })
    app.stopping.addEventListener('abort', () => {
      streams.forEach(sayGoodbye)
      late = setTimeout(cutAll, lastAnswersMs)
    })
    app.addHook('preClose', async () => {
      while (streams.size > 0) await Promise.all([...streams].map(({ closed }) => closed))
      clearTimeout(late)
    })
  },
  { name: 'web-sockets', dependencies: ['event-streams', 'stopping', 'upgrades'] },
)

const sayGoodbye = (stream: OpenSocketStream): void =>
  stream.leave({ code: 1001, reason: 'The gateway is shutting down.' })
