import { GatewayError, SessionParams, type FileChange, type FileChangeFrame } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { takesEventStream } from '../accept.ts'
import { problems } from '../openapi/responses.ts'
import { isoTime } from '../views/run-view.ts'
import { Type } from 'typebox'
import { MANUAL_SSE, type RouteOptions } from './route-options.ts'
import { WORKSPACE_PROBLEMS, workspaceOf } from './workspace-of.ts'

const READY = 'retry: 2000\nevent: ready\ndata: {}\n\n'

const schema = {
  operationId: 'watchFiles',
  tags: ['files'],
  summary: 'Changes of files as they happen, whoever makes them',
  description:
    'Server-sent events: `ready` once nothing is missed any more, then `file` with `path`, `change` and `timestamp`. There is no replay: after a reconnect read the tree again. What git does in `.git` is not told.',
  params: SessionParams,
  response: {
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
  app.get('/sessions/:id/files/watch', { schema, sse: MANUAL_SSE, exposeHeadRoute: false }, async (request, reply) => {
    if (!takesEventStream(request.headers.accept))
      throw new GatewayError('NOT_ACCEPTABLE', 'A watch is text/event-stream. Accept that.')
    const { files } = await workspaceOf(options, request)
    using slot = app.eventStreams.reserve(request)
    await slot.serve(reply, async (stream) => {
      let ready = false
      for await (const changes of files.watch(stream.signal)) {
        await stream.write(ready ? framesOf(changes, Date.now()) : READY)
        ready = true
      }
    })
    return reply
  })
}

function framesOf(changes: readonly FileChange[], at: number): string {
  const frame = ({ path, change }: FileChange): FileChangeFrame => ({ path, change, timestamp: isoTime(at) })
  return changes.map((change) => `event: file\ndata: ${JSON.stringify(frame(change))}\n\n`).join('')
}
