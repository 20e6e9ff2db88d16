import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { createDirectories, createWorkspaces } from '@opencode-gateway/workspaces'
import { digestOf, type Scope } from '../src/config/api-keys.ts'
import { startGateway, temporaryDirectory, type Answer, type Gateway, type GatewayOptions } from './gateway.ts'
import type { Lifetime } from './scope.ts'

/** A gateway with real workspaces, and a session in it that has one. */
export interface FilesGateway extends Gateway {
  /** The directory of the workspace. */
  root: string
  /** Path of the session's resources. */
  session: string
  /** A request for one of them; the key has every scope unless `as` says otherwise. */
  files(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}

const keyOf = (id: string, scopes: readonly Scope[]) => ({
  id,
  tenant: 'one',
  digest: digestOf(id),
  scopes,
  limits: {},
})
export const KEYS = [
  keyOf('all', ['read', 'write', 'files:secrets']),
  keyOf('usual', ['read', 'write']),
  keyOf('reader', ['read']),
]
export const as = (key: 'all' | 'usual' | 'reader') => ({ 'x-api-key': key })

export async function startFilesGateway(t: Lifetime, options: GatewayOptions = {}): Promise<FilesGateway> {
  const root = await realpath(await temporaryDirectory(t))
  const directories = createDirectories(root)
  await directories.prepare()
  const workspaces = createWorkspaces({ directories })
  const gateway = await startGateway(t, { workspaces, app: { keys: KEYS }, ...options })
  const id = randomUUID()
  await gateway.call('POST', '/sessions', { session_id: id }, as('all'))
  await workspaces.make(id)
  const session = `/sessions/${id}`
  return {
    ...gateway,
    session,
    root: join(root, id),
    files: (method, path, body, headers) =>
      gateway.call(method, `${session}${path}`, body, { ...as('all'), ...headers }),
  }
}

/** The query with a path. */
export const at = (path: string): string => `?path=${encodeURIComponent(path)}`
