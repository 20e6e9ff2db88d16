import { SessionParams, SessionWorkspace, type SessionRow } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { isoTime } from '../views/run-view.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

/** Files that are counted; deeper ones than the depth are not. */
const COUNTED = { depth: 64, limit: 100_000 }
const COUNT_TIMEOUT_MS = 30_000

const schema = {
  operationId: 'getWorkspace',
  tags: ['files'],
  summary: 'The directory the session works in: its size, how long it is kept, and the repository it was filled from',
  params: SessionParams,
  response: {
    200: json(ref(SessionWorkspace), 'The workspace.'),
    ...problems('INVALID_REQUEST', 'SESSION_NOT_FOUND', 'WORKSPACE_NOT_FOUND', 'UNSUPPORTED_OPTION'),
  },
}

export const workspaceRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions }) => {
  app.get('/sessions/:id/workspace', { schema }, async (request): Promise<SessionWorkspace> => {
    const id = sessionIdOf(request)
    const workspace = await sessions.workspace(request.client.tenant, id, { make: false })
    const signal = AbortSignal.any([app.stopping, AbortSignal.timeout(COUNT_TIMEOUT_MS)])
    const { entries, truncated } = await workspace.files.list('', COUNTED, signal)
    const files = entries.filter(({ kind, path }) => kind === 'file' && !isGit(path))
    const repository = await workspace.repository()
    const { session } = await sessions.get(request.client.tenant, id, 1)
    return {
      session_id: id,
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
      truncated,
      ...expiryOf(session),
      ...(repository === undefined
        ? {}
        : {
            repository: {
              url: repository.url,
              branch: repository.branch,
              base_branch: repository.baseBranch,
              base_commit: repository.baseCommit,
            },
          }),
    }
  })
}

/** A run that is open keeps it; its end counts as a change. */
function expiryOf({ retentionMs, updatedAt, openRuns }: SessionRow) {
  if (retentionMs === undefined) return {}
  const kept = { retention_seconds: retentionMs / 1000 }
  return openRuns > 0 ? kept : { ...kept, expires_at: isoTime(updatedAt + retentionMs) }
}

const isGit = (path: string): boolean => path === '.git' || path.startsWith('.git/')
