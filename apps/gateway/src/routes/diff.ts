import { DiffQuery, DiffView, GatewayError, SessionParams } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { attachment } from '../http/attachment.ts'
import { clientGone } from '../http/client-gone.ts'
import { problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'
import { mayHaveSecrets, WORKSPACE_PROBLEMS, workspaceOf } from './workspace-of.ts'

const PATCH = 'text/x-patch'

const schema = {
  operationId: 'getDiff',
  tags: ['files'],
  summary: 'What changed in the workspace since the session began, or since a run ended',
  description:
    'Also while the agent works. What `.gitignore` hides and was not there at the start is left out; what looks like a secret is told by name alone.',
  params: SessionParams,
  querystring: ref(DiffQuery),
  response: {
    200: {
      description: 'The files, or the patch. Comments at its beginning name what is not in it.',
      content: { 'application/json': { schema: ref(DiffView) }, [PATCH]: { schema: { type: 'string' } } },
    },
    ...problems(...WORKSPACE_PROBLEMS, 'SNAPSHOT_NOT_FOUND', 'SECRET_FILE_DENIED', 'WORKSPACE_FULL'),
  },
}

export const diffRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  app.get('/sessions/:id/diff', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const { format = 'json', limit = 1000, max_patch_bytes: maxPatchBytes = 100_000, secrets = false } = request.query
    if (secrets && !mayHaveSecrets(request))
      throw new GatewayError('SECRET_FILE_DENIED', 'A diff with secrets needs a key with the scope "files:secrets".')
    const workspace = await workspaceOf(options, request)
    using gone = clientGone(reply.raw)
    const signal = AbortSignal.any([gone.signal, app.stopping])
    const run = request.query.since?.toLowerCase()
    const since = run === undefined ? {} : { since: run }
    if (format === 'json')
      return { from: run ?? 'start', ...(await workspace.diff({ ...since, limit, maxPatchBytes, secrets }, signal)) }
    const patch = await workspace.patch({ ...since, secrets }, signal)
    return reply
      .type(`${PATCH}; charset=utf-8`)
      .headers({
        'content-disposition': attachment(`${sessionIdOf(request)}.patch`),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      .send(patch)
  })
}
