import { ArchiveQuery, ArchiveUnpacked, GatewayError, SessionParams, type Workspace } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { attachment } from '../http/attachment.ts'
import { clientGone } from '../http/client-gone.ts'
import { whileClientStays } from '../http/client-stays.ts'
import { binary, json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { rawBody, takeRawBodies } from '../http/raw-body.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'
import { CHANGE_PROBLEMS, changeWorkspaceOf, mayHaveSecrets, WORKSPACE_PROBLEMS, workspaceOf } from './workspace-of.ts'

/** Changed files that one archive has; a workspace with more is asked for whole. */
const MAX_CHANGED = 10_000
/** What is known of each is held in memory until all of them are checked. */
const MAX_ENTRIES = 100_000
/** Times its size an archive may unpack to. */
const UNPACKS_TO = 10

const download = {
  operationId: 'getArchive',
  tags: ['files'],
  summary: 'The workspace as tar.gz',
  description:
    'Without `.git` and without files that look like secrets unless asked for; links that lead out are left out, and names that are not UTF-8.',
  params: SessionParams,
  querystring: ref(ArchiveQuery),
  response: {
    200: binary('The archive.', 'application/gzip'),
    ...problems(...WORKSPACE_PROBLEMS, 'SECRET_FILE_DENIED', 'PAYLOAD_TOO_LARGE'),
  },
}

const upload = {
  operationId: 'putArchive',
  tags: ['files'],
  summary: 'Fill the workspace from a tar.gz',
  description:
    'Read and checked as a whole before anything is written: an entry that leads out, is a device, or belongs to git refuses it all. Files of the same name are replaced, others stay.',
  consumes: ['application/gzip'],
  params: SessionParams,
  response: {
    201: json(ref(ArchiveUnpacked), 'It is unpacked.'),
    ...problems(...CHANGE_PROBLEMS, 'SECRET_FILE_DENIED', 'PAYLOAD_TOO_LARGE', 'ARCHIVE_REFUSED'),
  },
}

export const archiveRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const url = '/sessions/:id/archive'
  const { maxArchiveBytes } = options.config.limits
  const { room } = options
  takeRawBodies(app)

  app.get(url, { schema: download, exposeHeadRoute: false }, async (request, reply) => {
    const { path, changed = false, git = false, secrets = false } = request.query
    if (secrets && !mayHaveSecrets(request)) {
      throw new GatewayError(
        'SECRET_FILE_DENIED',
        'An archive with secrets needs a key with the scope "files:secrets".',
      )
    }
    const workspace = await workspaceOf(options, request)
    // It lasts as long as the answer, which ends after this has.
    const { signal } = clientGone(reply.raw)
    const until = AbortSignal.any([signal, app.stopping])
    const paths = changed ? await changedPaths(workspace, until) : path === undefined ? undefined : [path]
    // What has changed may be gone again by now.
    const what = paths === undefined ? {} : { paths, ifThere: changed }
    const archive = await workspace.files.archive({ git, secrets, ...what }, until)
    return reply
      .type('application/gzip')
      .headers({
        'content-disposition': attachment(`${sessionIdOf(request)}.tar.gz`),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      .send(archive)
  })

  app.put(url, { schema: upload }, async (request, reply) => {
    const body = rawBody(request, maxArchiveBytes)
    const unpacked = await whileClientStays(reply, app.stopping, (signal) =>
      changeWorkspaceOf(options, request, { make: true }, async (workspace) => {
        const { maxBytes, maxFiles } = await room.in(workspace, maxArchiveBytes * UNPACKS_TO, signal)
        const limits = {
          maxEntries: Math.min(MAX_ENTRIES, maxFiles),
          maxBytes: Math.min(maxArchiveBytes * UNPACKS_TO, maxBytes),
          secrets: mayHaveSecrets(request),
        }
        const unpacked = await workspace.files.unpack(body, limits, signal)
        room.used(workspace, unpacked)
        return unpacked
      }),
    )
    return reply.code(201).send(unpacked)
  })
}

async function changedPaths(workspace: Workspace, signal: AbortSignal): Promise<string[]> {
  const { files, truncated } = await workspace.diff({ limit: MAX_CHANGED, maxPatchBytes: 0 }, signal)
  if (truncated)
    throw new GatewayError('PAYLOAD_TOO_LARGE', `More than ${MAX_CHANGED} files have changed. Ask for all of them.`)
  return files.filter(({ status }) => status !== 'deleted').map(({ path }) => path)
}
