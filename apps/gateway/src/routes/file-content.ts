import { basename } from 'node:path/posix'
import { FileInfo, FileQuery, SessionParams, type FileStat } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { attachment } from '../http/attachment.ts'
import { whileClientStays } from '../http/client-stays.ts'
import { isKnown, readPrecondition, readRange } from '../http/file-conditions.ts'
import { headers } from '../openapi/headers.ts'
import { binary, json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { rawBody, takeRawBodies } from '../http/raw-body.ts'
import { withinRoom } from '../orders/workspace-room.ts'
import { etagOf, fileInfo } from '../views/file-view.ts'
import type { RouteOptions } from './route-options.ts'
import { CHANGE_PROBLEMS, changeWorkspaceOf, mayHaveSecrets, WORKSPACE_PROBLEMS, workspaceOf } from './workspace-of.ts'

const read = {
  operationId: 'readFile',
  tags: ['files'],
  summary: 'The content of a file',
  description: 'Sent as plain text or as bytes and never as a page. Files that look like secrets need `files:secrets`.',
  params: SessionParams,
  querystring: ref(FileQuery),
  headers: headers('range', 'if-range', 'if-none-match'),
  response: {
    200: binary('The file.'),
    206: binary('The part that was asked for.'),
    304: { description: 'The client has it.', type: 'null' },
    ...problems(...WORKSPACE_PROBLEMS, 'NOT_A_FILE', 'SECRET_FILE_DENIED', 'RANGE_NOT_SATISFIABLE'),
  },
}

const write = {
  operationId: 'writeFile',
  tags: ['files'],
  summary: 'Write a file whole',
  description:
    'The body is the content, whatever its type; at most `MAX_FILE_SIZE` bytes. Directories above are made. A body that breaks off leaves the file as it was. An idle session gets its workspace by it.',
  consumes: ['application/octet-stream'],
  params: SessionParams,
  querystring: ref(FileQuery),
  headers: headers('if-match', 'if-none-match'),
  response: {
    200: json(ref(FileInfo), 'It is written again.'),
    201: json(ref(FileInfo), 'It is made.'),
    ...problems(...CHANGE_PROBLEMS, 'SECRET_FILE_DENIED', 'FILE_EXISTS', 'PRECONDITION_FAILED', 'PAYLOAD_TOO_LARGE'),
  },
}

export const fileContentRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const url = '/sessions/:id/files/content'
  const { maxFileBytes } = options.config.limits
  takeRawBodies(app)

  app.get(url, { schema: read, exposeHeadRoute: false }, async (request, reply) => {
    const { path } = request.query
    const { files } = await workspaceOf(options, request)
    const before = await files.stat(path)
    if (before.tag !== undefined && isKnown(request.headers['if-none-match'], etagOf(before.tag)))
      return contentHeaders(reply, before).code(304).send(null)
    const range = readRange(request.headers, { etag: etagOf(before.tag ?? ''), size: before.size })
    if (range !== undefined) void reply.header('content-range', `bytes */${before.size}`)
    const { stat, content } = await files.read(path, {
      secrets: mayHaveSecrets(request),
      ...(range === undefined ? {} : { range }),
    })
    contentHeaders(reply, stat).header('content-length', stat.size)
    if (range !== undefined) {
      const end = Math.min(range.end, stat.size - 1)
      void reply.code(206).headers({
        'content-range': `bytes ${range.start}-${end}/${stat.size}`,
        'content-length': end - range.start + 1,
      })
    }
    return reply.send(content)
  })

  app.head(url, { schema: { ...read, operationId: 'headFile', hide: true } }, async (request, reply) => {
    const { files } = await workspaceOf(options, request)
    const { stat, content } = await files.read(request.query.path, { secrets: mayHaveSecrets(request) })
    content.destroy()
    return contentHeaders(reply, stat).header('content-length', stat.size).send(null)
  })

  app.put(url, { schema: write }, async (request, reply) => {
    const expected = readPrecondition(request.headers)
    const body = rawBody(request, maxFileBytes)
    const { path } = request.query
    const { stat, created } = await whileClientStays(reply, app.stopping, (signal) =>
      changeWorkspaceOf(options, request, { make: true }, async (workspace) => {
        const left = await options.room.in(workspace, maxFileBytes, signal)
        const how = { ...expected, maxBytes: Math.min(maxFileBytes, left.maxBytes), secrets: mayHaveSecrets(request) }
        const written = await withinRoom(left, maxFileBytes, () => workspace.files.write(path, body, how, signal))
        options.room.used(workspace, { bytes: written.stat.size, files: written.created ? 1 : 0 })
        return written
      }),
    )
    return reply
      .code(created ? 201 : 200)
      .header('etag', etagOf(stat.tag ?? ''))
      .send(fileInfo(stat))
  })
}

/** What an agent wrote is never run or shown as a page in the gateway's name. */
function contentHeaders(reply: FastifyReply, { path, tag = '', text, modifiedAt }: FileStat): FastifyReply {
  return reply.headers({
    'content-type': text ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    'content-disposition': attachment(basename(path)),
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    'last-modified': new Date(modifiedAt).toUTCString(),
    etag: etagOf(tag),
  })
}
