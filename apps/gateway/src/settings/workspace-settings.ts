import { join } from 'node:path'
import type { Sealing } from '@opencode-gateway/sealing'
import { createGit, createSnapshots, type GitCredentials, type WorkspacesOptions } from '@opencode-gateway/workspaces'
import type { Config } from '../config.ts'
import { credentialOpener } from '../orders/git-credentials.ts'

/** Of one look at a workspace: what changed in it, or putting it back. Milliseconds. */
const SNAPSHOT_TIMEOUT_MS = 120_000
/** A larger file is told by name alone when it changes. Bytes. */
const SNAPSHOT_FILE_BYTES = 32 * 1024 * 1024

export interface WorkspaceSettings {
  dataDir: string
  /** Search path of git. */
  path: string
  git: Config['git']
  credentials: GitCredentials
  maxCheckpoints: number
  /** Opens the credentials of a request. */
  sealing: Sealing | undefined
}

/** What the workspaces of any executor on this machine are made with. */
export function workspaceSettings({
  dataDir,
  path,
  git,
  credentials,
  maxCheckpoints,
  sealing,
}: WorkspaceSettings): Omit<WorkspacesOptions, 'directories'> {
  const { allowedHosts, allowFile, author, cloneTimeoutMs, pushTimeoutMs, maxBytes, mirrors, pullRequests } = git
  return {
    maxCheckpoints,
    maxCopyBytes: maxBytes,
    ...(sealing === undefined ? {} : { openCredentials: credentialOpener(sealing) }),
    snapshots: createSnapshots({
      path,
      limits: { timeoutMs: SNAPSHOT_TIMEOUT_MS, maxFileBytes: SNAPSHOT_FILE_BYTES },
    }),
    git: createGit({
      // Beside the workspaces, so that a clone can share its objects with the mirror.
      cacheDirectory: join(dataDir, 'git'),
      path,
      allowFile,
      credentials,
      author,
      pullRequests,
      limits: { cloneTimeoutMs, pushTimeoutMs, maxBytes, mirrors },
      ...(allowedHosts === undefined ? {} : { allowedHosts }),
    }),
  }
}
