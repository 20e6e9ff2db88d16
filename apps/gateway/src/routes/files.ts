import {
  FileInfo,
  FileList,
  FileListQuery,
  FileQuery,
  FileRemoveQuery,
  MakeDirectoryRequest,
  MoveRequest,
  SessionParams,
} from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { whileClientStays } from '../http/client-stays.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { fileEntry, fileInfo } from '../views/file-view.ts'
import type { RouteOptions } from './route-options.ts'
import { CHANGE_PROBLEMS, changeWorkspaceOf, mayHaveSecrets, WORKSPACE_PROBLEMS, workspaceOf } from './workspace-of.ts'

const tags = ['files']

const list = {
  operationId: 'listFiles',
  tags,
  summary: 'What a directory of the workspace holds',
  description:
    'Level by level: what `limit` cuts off is what lies deepest. Links and `.git` are named, not entered. Names that are not UTF-8 cannot be said in JSON: `unnamed` counts them, and no route of files reaches them until a command gives them another name; they go with the directory they are in.',
  params: SessionParams,
  querystring: ref(FileListQuery),
  response: { 200: json(ref(FileList), 'The entries.'), ...problems(...WORKSPACE_PROBLEMS) },
}

const info = {
  operationId: 'getFileInfo',
  tags,
  summary: 'Size, time, permissions and kind of a file',
  params: SessionParams,
  querystring: ref(FileQuery),
  response: { 200: json(ref(FileInfo), 'What it is.'), ...problems(...WORKSPACE_PROBLEMS) },
}

const remove = {
  operationId: 'removeFile',
  tags,
  summary: 'Remove a file, a link or a directory',
  description: 'Never the workspace itself, nor what belongs to git.',
  params: SessionParams,
  querystring: ref(FileRemoveQuery),
  response: {
    204: { description: 'It is gone.', type: 'null' },
    ...problems(...CHANGE_PROBLEMS, 'DIRECTORY_NOT_EMPTY'),
  },
}

const makeDirectory = {
  operationId: 'makeDirectory',
  tags,
  summary: 'Make a directory and those above it',
  params: SessionParams,
  body: ref(MakeDirectoryRequest),
  response: {
    200: json(ref(FileInfo), 'It was there.'),
    201: json(ref(FileInfo), 'It is made.'),
    ...problems(...CHANGE_PROBLEMS, 'INVALID_JSON', 'FILE_EXISTS', 'UNSUPPORTED_MEDIA_TYPE', 'PAYLOAD_TOO_LARGE'),
  },
}

const move = {
  operationId: 'moveFile',
  tags,
  summary: 'Move a file, a link or a directory within the workspace',
  params: SessionParams,
  body: ref(MoveRequest),
  response: {
    200: json(ref(FileInfo), 'What it is at its new place.'),
    ...problems(
      ...CHANGE_PROBLEMS,
      'INVALID_JSON',
      'SECRET_FILE_DENIED',
      'FILE_EXISTS',
      'DIRECTORY_NOT_EMPTY',
      'UNSUPPORTED_MEDIA_TYPE',
      'PAYLOAD_TOO_LARGE',
    ),
  },
}

export const fileRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  app.get('/sessions/:id/files', { schema: list }, async (request, reply) => {
    const { path = '', depth = 1, limit = 1000 } = request.query
    const { files } = await workspaceOf(options, request)
    const found = await whileClientStays(reply, app.stopping, (signal) => files.list(path, { depth, limit }, signal))
    return { path, entries: found.entries.map(fileEntry), truncated: found.truncated, unnamed: found.unnamed }
  })

  app.get('/sessions/:id/files/info', { schema: info }, async (request) => {
    const { files } = await workspaceOf(options, request)
    return fileInfo(await files.stat(request.query.path))
  })

  app.delete('/sessions/:id/files', { schema: remove }, async (request, reply) => {
    const { path, recursive = false } = request.query
    await changeWorkspaceOf(options, request, { make: false }, ({ files }) => files.remove(path, { recursive }))
    return reply.code(204).send(null)
  })

  app.post('/sessions/:id/files/mkdir', { schema: makeDirectory }, async (request, reply) => {
    const { path } = request.body
    const { made, stat } = await changeWorkspaceOf(options, request, { make: true }, async ({ files }) => {
      return { made: await files.makeDirectory(path), stat: await files.stat(path) }
    })
    return reply.code(made ? 201 : 200).send(fileInfo(stat))
  })

  app.post('/sessions/:id/files/move', { schema: move }, async (request) => {
    const { from, to, overwrite = false } = request.body
    return await changeWorkspaceOf(options, request, { make: false }, async ({ files }) => {
      await files.move(from, to, { overwrite, secrets: mayHaveSecrets(request) })
      return fileInfo(await files.stat(to))
    })
  })
}
