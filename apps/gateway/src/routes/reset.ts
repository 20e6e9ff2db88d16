import { GatewayError, ResetRequest, ResetResponse, SessionParams } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { emptyBody } from '../plugins/strict-input.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'
import { CHANGE_PROBLEMS, workspaceOf } from './workspace-of.ts'

const schema = {
  operationId: 'resetWorkspace',
  tags: ['files'],
  summary: 'Make the workspace what it was at the start',
  description:
    "Only while no run is open. What came since is removed, ignored files too; git's own state (HEAD, branches) stays as it is. It goes on when the client leaves.",
  params: SessionParams,
  body: ref(ResetRequest),
  response: {
    200: json(ref(ResetResponse), 'It is.'),
    ...problems(
      ...CHANGE_PROBLEMS,
      'INVALID_JSON',
      'SESSION_BUSY',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'SHUTTING_DOWN',
    ),
  },
}

export const resetRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  app.post('/sessions/:id/reset', { schema, preValidation: emptyBody }, async (request) => {
    const id = sessionIdOf(request)
    const { session } = await options.sessions.get(request.client.tenant, id, 1)
    if (session.closedAt !== undefined)
      throw new GatewayError('SESSION_CLOSED', `Session "${id}" has been deleted. Make a new one.`)
    if (session.openRuns > 0)
      throw new GatewayError(
        'SESSION_BUSY',
        `Session "${id}" has a run that works or waits. Cancel it, or wait for its end.`,
      )
    const workspace = await workspaceOf(options, request)
    await workspace.reset(app.stopping)
    request.log.info({ sessionId: id }, 'the workspace is what it was at the start')
    return { session_id: id, to: 'start' as const }
  })
}
