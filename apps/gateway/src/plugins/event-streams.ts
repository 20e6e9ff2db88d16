import { fastifySSE } from '@fastify/sse'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { StreamMetrics } from '../metrics/stream-metrics.ts'
import { openEventStream, type EventStream, type OpenStream } from '../streams/sse.ts'
import { SSE_HEARTBEAT } from '../views/event-frame.ts'

/** Told to readers when the gateway stops: come back soon, but not before it can be up again. */
const FAREWELL = 'retry: 3000\n\n'

type Pump = (stream: EventStream) => Promise<void>

/** The right to one event stream; given back when it is disposed of. */
export interface StreamSlot extends Disposable {
  /**
   * Answers with an event stream that lasts until `pump` has settled. What `pump` throws is logged: the status is
   * already sent. `resumed`: the reader has seen events of the log before.
   */
  serve(reply: FastifyReply, pump: Pump, how?: { resumed: boolean }): Promise<void>
}

export interface EventStreams {
  /** Throws TOO_MANY_STREAMS when the key has as many as it may, SHUTTING_DOWN when the gateway stops. */
  reserve(request: FastifyRequest): StreamSlot
  /** Streams open now. */
  open(): number
}

declare module 'fastify' {
  interface FastifyInstance {
    eventStreams: EventStreams
  }
}

export interface EventStreamsOptions {
  maxPerKey: number
  heartbeatMs: number
  stallMs: number
  retentionMs: number
  metrics: StreamMetrics
}

export const eventStreams = fp<EventStreamsOptions>(
  async (app, { maxPerKey, heartbeatMs, stallMs, retentionMs, metrics }) => {
    await app.register(fastifySSE)
    const takenByKey = new Map<string, number>()
    const streams = new Set<OpenStream>()

    function giveBack(key: string): void {
      const left = (takenByKey.get(key) ?? 1) - 1
      if (left > 0) takenByKey.set(key, left)
      else takenByKey.delete(key)
    }

    async function run(stream: OpenStream, reply: FastifyReply, pump: Pump) {
      try {
        await pump(stream)
      } catch (err) {
        if (!stream.signal.aborted) reply.log.error({ err }, 'the event stream broke')
      }
      reply.sse.close()
      await stream.closed()
    }

    async function serve(reply: FastifyReply, pump: Pump, how = { resumed: false }) {
      sendHead(reply, retentionMs)
      const stream = openEventStream({
        response: reply.raw,
        heartbeat: SSE_HEARTBEAT,
        heartbeatMs,
        stallMs,
        onDropped: () => metrics.dropped(),
        onSent: (lagMs) => metrics.sent(lagMs),
      })
      streams.add(stream)
      metrics.opened(how)
      await run(stream, reply, pump).finally(() => {
        streams.delete(stream)
        metrics.closed()
      })
    }

    app.decorate('eventStreams', {
      open: () => streams.size,
      reserve(request) {
        app.stopping.throwIfAborted()
        const key = request.client.keyId ?? request.client.tenant
        const limit = request.client.limits.streams ?? maxPerKey
        const taken = takenByKey.get(key) ?? 0
        if (taken >= limit) throw tooMany(limit)
        takenByKey.set(key, taken + 1)
        return { serve, [Symbol.dispose]: () => giveBack(key) }
      },
    })
    app.stopping.addEventListener('abort', () => {
      for (const stream of streams) stream.leave(FAREWELL)
    })
  },
  { name: 'event-streams', dependencies: ['auth', 'stopping'] },
)

function sendHead(reply: FastifyReply, retentionMs: number): void {
  void reply.headers({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-event-retention-seconds': String(Math.floor(retentionMs / 1000)),
  })
  reply.sse.sendHeaders(200)
}

function tooMany(limit: number): GatewayError {
  return new GatewayError(
    'TOO_MANY_STREAMS',
    `The key has ${limit} event streams open, which is its limit. Close one first.`,
    {
      retryAfterMs: 5000,
    },
  )
}
