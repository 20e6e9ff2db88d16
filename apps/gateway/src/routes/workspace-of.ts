import type { Workspace } from '@opencode-gateway/contracts'
import type { FastifyRequest } from 'fastify'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

/** What is wrong with a request for a workspace, whichever. */
export const WORKSPACE_PROBLEMS = [
  'INVALID_REQUEST',
  'ABSOLUTE_PATH_DENIED',
  'PARENT_DIRECTORY_DENIED',
  'NULL_BYTE_DENIED',
  'LINK_DENIED',
  'SESSION_NOT_FOUND',
  'WORKSPACE_NOT_FOUND',
  'FILE_NOT_FOUND',
  'NOT_A_DIRECTORY',
  'UNSUPPORTED_OPTION',
  'WORKSPACE_ERROR',
] as const

/** And with one that changes it. */
export const CHANGE_PROBLEMS = [
  ...WORKSPACE_PROBLEMS,
  'SESSION_CLOSED',
  'NOT_A_FILE',
  'WORKSPACE_FULL',
  'EXECUTOR_UNAVAILABLE',
] as const

type SessionRequest = Pick<FastifyRequest, 'client'> & { params: { id: string } }

/** The workspace of the session in the path, to look at. */
export function workspaceOf({ sessions }: Pick<RouteOptions, 'sessions'>, request: SessionRequest): Promise<Workspace> {
  return sessions.workspace(request.client.tenant, sessionIdOf(request), { make: false })
}

/** Changes it, which keeps the session from ending. `make`: an idle session gets one before its first run. */
export function changeWorkspaceOf<T>(
  { sessions }: Pick<RouteOptions, 'sessions'>,
  request: SessionRequest,
  how: { make: boolean },
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  return sessions.changeWorkspace(request.client.tenant, sessionIdOf(request), how, work)
}

/** Whether the key may have files that look like secrets. */
export const mayHaveSecrets = ({ client }: Pick<FastifyRequest, 'client'>): boolean =>
  client.scopes.includes('files:secrets')
