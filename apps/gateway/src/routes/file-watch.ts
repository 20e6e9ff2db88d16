import { GatewayError, SessionParams, type FileChange, type FileChangeFrame } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { takesEventStream } from '../http/accept.ts'
import { headers } from '../openapi/headers.ts'
import { problems } from '../openapi/responses.ts'
import { isoTime } from '../views/run-view.ts'
import { Type } from 'typebox'
import { MANUAL_SSE, type RouteOptions } from './route-options.ts'
import { WORKSPACE_PROBLEMS, workspaceOf } from './workspace-of.ts'

type Frame = { event: 'ready'; data: Record<string, never> } | { event: 'file'; data: FileChangeFrame }

const RETRY = 'retry: 2000\n'

const schema = {
  operationId: 'watchFiles',
  tags: ['files'],
  summary: 'Changes of files as they happen, whoever makes them',
  description:
    'Server-sent events, or a WebSocket for a request with `Upgrade: websocket`: `ready` once nothing is missed any more, then `file` with `path`, `change` and `timestamp`. A message of the socket is `{"event", "data"}` with the same two. There is no replay: after a reconnect read the tree again. What git does in `.git` is not told. The socket takes no messages; it is closed with 1000 when the workspace has gone, 1001 when the gateway stops, 1008 when nothing is read or no ping answered for `STREAM_STALL_TIMEOUT`.',
  params: SessionParams,
  headers: headers('upgrade'),
  response: {
    101: { description: 'A WebSocket.', type: 'null' },
    200: {
      description: 'Server-sent events.',
      content: {
        'text/event-stream': {
          schema: Type.String({ description: 'Frames of `event` and `data`; the data of `file` is a `FileChange`.' }),
        },
      },
    },
    ...problems(...WORKSPACE_PROBLEMS, 'NOT_ACCEPTABLE', 'TOO_MANY_STREAMS', 'SHUTTING_DOWN'),
  },
} as const

export const fileWatchRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  app.route({
    method: 'GET',
    url: '/sessions/:id/files/watch',
    schema,
    sse: MANUAL_SSE,
    exposeHeadRoute: false,
    async preHandler(request, reply) {
      if (!request.ws) return
      // While there still is a status to refuse it with.
      await workspaceOf(options, request)
      app.webSockets.admit(request, reply)
    },
    async handler(request, reply) {
      if (!takesEventStream(request.headers.accept))
        throw new GatewayError('NOT_ACCEPTABLE', 'A watch is text/event-stream. Accept that.')
      const { files } = await workspaceOf(options, request)
      using slot = app.eventStreams.reserve(request)
      await slot.serve(reply, async (stream) => {
        for await (const frames of framesOf(files.watch(stream.signal)))
          await stream.write(frames.map(sseFrame).join(''))
      })
      return reply
    },
    wsHandler: (socket, request) =>
      app.webSockets.serve(socket, request, 'The workspace has gone.', async (stream) => {
        const { files } = await workspaceOf(options, request)
        for await (const frames of framesOf(files.watch(stream.signal)))
          await stream.write(frames.map((frame) => JSON.stringify(frame)))
      }),
  })
}

async function* framesOf(watched: AsyncIterable<readonly FileChange[]>): AsyncGenerator<readonly Frame[]> {
  let ready = false
  for await (const changes of watched) {
    const timestamp = isoTime(Date.now())
    const files = changes.map(({ path, change }) => ({ event: 'file' as const, data: { path, change, timestamp } }))
    yield ready ? files : [{ event: 'ready', data: {} }]
    ready = true
  }
}

const sseFrame = ({ event, data }: Frame): string =>
  `${event === 'ready' ? RETRY : ''}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
