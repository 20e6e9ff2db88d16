import { GatewayError, ResetRequest, ResetResponse, SessionParams } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { emptyBody } from '../plugins/strict-input.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'
import { CHANGE_PROBLEMS } from './workspace-of.ts'

const schema = {
  operationId: 'resetWorkspace',
  tags: ['files'],
  summary: 'Make the workspace what it was at the start, or after a run',
  description:
    "Only while no run is open; one that comes in meanwhile waits. What came since the start is removed, ignored files too; going back to a run leaves what was ignored then. Git's own state (HEAD, branches) and the conversation stay as they are. What the newest WORKSPACE_SNAPSHOTS runs left is remembered. It goes on when the client leaves; one that a crash cut short is completed by another.",
  params: SessionParams,
  body: ref(ResetRequest),
  response: {
    200: json(ref(ResetResponse), 'It is.'),
    ...problems(
      ...CHANGE_PROBLEMS,
      'INVALID_JSON',
      'SESSION_BUSY',
      'RUN_NOT_FOUND',
      'SNAPSHOT_NOT_FOUND',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'SHUTTING_DOWN',
    ),
  },
}

export const resetRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  app.post('/sessions/:id/reset', { schema, preValidation: emptyBody }, async (request): Promise<ResetResponse> => {
    const id = sessionIdOf(request)
    const after = request.body.run_id?.toLowerCase()
    if (after !== undefined && request.body.to !== undefined)
      throw new GatewayError('INVALID_REQUEST', 'The reset is to the start or to the end of a run, not to both.', {
        details: { field: 'to', reason: 'contradicts run_id' },
      })
    await options.sessions.reset(request.client.tenant, id, after, app.stopping)
    request.log.info({ sessionId: id, after }, 'the workspace is what it was')
    return { session_id: id, ...(after === undefined ? { to: 'start' } : { to: 'run', run_id: after }) }
  })
}
