import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import {
  GatewayError,
  type CallContext,
  type Log,
  type OnGit,
  type Workspace,
  type WorkspaceFill,
  type Workspaces,
} from '@opencode-gateway/contracts'
import type { Directories } from './directories.ts'
import { createWorkspaceFiles } from './files/files.ts'
import type { FileOwner } from './files/staged-file.ts'
import { parsePath } from './files/path.ts'
import { copyWorkspace } from './copy/copy-workspace.ts'
import type { GitCredentials } from './git/credentials.ts'
import type { Git } from './git/git.ts'
import type { GitPlace } from './git/git-options.ts'
import { workBranchOf } from './git/work-branch.ts'
import { measureDirectory } from './snapshot/measure-directory.ts'
import type { Snapshots } from './snapshot/snapshots.ts'
import { clearLeftovers, stagingIn } from './leftovers.ts'
import { removeTree } from './remove-tree.ts'
import { readStart, writeStart, type StartRecord } from './start-record.ts'

export interface WorkspacesOptions {
  directories: Directories
  /** Without them nothing tells what changed. */
  snapshots?: Snapshots
  /** Of how many runs it is remembered what they left; 0 unless given. */
  maxCheckpoints?: number
  /** Largest workspace that is copied, bytes; 5 GiB unless given. */
  maxCopyBytes?: number
  /** Without it no repository can be used. */
  git?: Git
  /** Opens what a request of this session gave for git hosts. Without it none can be given. */
  openCredentials?(sealed: string, sessionId: string): GitCredentials
  /** Whom files that are written through the API are given to, where agents work under another uid. */
  owner?: FileOwner
  /** Directories outside of a session's workspace in which its agent can write: they count to its size. */
  besideOf?(sessionId: string): readonly string[]
}

/** The workspaces below one root, for the executor whose agents work in them. */
export interface OwnedWorkspaces extends Workspaces {
  /** The session's directory, made and filled unless it was; `made` says which. Nothing is left of one that failed. */
  open(sessionId: string, fill: WorkspaceFill, ctx: CallContext, onGit: OnGit): Promise<{ path: string; made: boolean }>
  /**
   * Makes the directory of a new session a copy of another one's, with what is known of its start; its path. Nobody
   * changes that one meanwhile. WORKSPACE_NOT_FOUND, WORKSPACE_FULL, WORKSPACE_ERROR when the new session has one
   * already: then it stays as it is. Nothing is left of a copy that failed.
   */
  copy(fromSessionId: string, toSessionId: string, signal: AbortSignal): Promise<string>
  /** Removes what calls had not completed when the gateway before this one was killed. Never rejects for one workspace. */
  clearLeftovers(log: Log): Promise<void>
}

/** Name of the snapshot of what a workspace began with. */
const START = 'start'
const MAX_FILE_BYTES = 10 * 1024 * 1024

export function createWorkspaces(options: WorkspacesOptions): OwnedWorkspaces {
  const { directories, snapshots, git, maxCheckpoints = 0, maxCopyBytes = 5 * 1024 ** 3, besideOf = () => [] } = options
  const life = randomUUID()
  const given = options.owner === undefined ? {} : { owner: options.owner }
  const asideOf = (sessionId: string): string => directories.beside(sessionId, 'aside')

  const placeOf = (sessionId: string, directory: string, sealed: string | undefined): GitPlace =>
    sealed === undefined
      ? { directory }
      : { directory, credentials: known(options.openCredentials, 'key for credentials')(sealed, sessionId) }

  const workspaceAt = (sessionId: string, directory: string): Workspace => {
    const aside = asideOf(sessionId)
    const place = { directory, aside }
    const start = async (): Promise<StartRecord> => (await readStart(aside)) ?? { snapshot: false }
    /** What differs is measured against nothing where the workspace began empty. */
    const from = async (runId: string | undefined): Promise<string | undefined> => {
      if (runId !== undefined) return await known(snapshots, 'snapshots').checkpointOf(place, runId)
      return (await start()).snapshot ? START : undefined
    }
    return {
      path: directory,
      files: createWorkspaceFiles(directory, { aside: stagingIn(aside, life), ...given }),
      // Where its output is a command can write until it is over.
      measure: (limits, signal) =>
        measureDirectory(
          directory,
          { beside: [directories.beside(sessionId, 'shell'), ...besideOf(sessionId)], limits },
          signal,
        ),
      repository: async () => (await start()).repository,
      diff: async ({ since, ...options }, signal) =>
        await known(snapshots, 'differences').diff(place, { from: await from(since), ...options }, signal),
      patch: async ({ since, ...options }, signal) =>
        await known(snapshots, 'differences').patch(place, { from: await from(since), ...options }, signal),
      async checkpoint(runId, signal) {
        if (maxCheckpoints > 0) await snapshots?.checkpoint(place, runId, maxCheckpoints, signal)
      },
      reset: async (after, signal) => await known(snapshots, 'snapshots').reset(place, await from(after), signal),
      async deliver(delivery, ctx, onGit) {
        const { repository, credentials } = await start()
        if (repository && git) {
          const own = credentials?.sessionId === sessionId ? credentials.sealed : undefined
          return await git.deliver(repository, placeOf(sessionId, directory, own), delivery, ctx, onGit)
        }
        throw new GatewayError('WORKSPACE_ERROR', 'The workspace has no repository to deliver to.', {
          retryable: false,
        })
      },
    }
  }

  async function fillDirectory(
    sessionId: string,
    directory: string,
    { repository, files = {} }: WorkspaceFill,
    { ctx, onGit }: { ctx: CallContext; onGit: OnGit },
  ): Promise<void> {
    const aside = asideOf(sessionId)
    const record: StartRecord = { snapshot: false }
    if (repository) {
      // What a gateway left that died while it cloned.
      await empty(directory)
      const workBranch = repository.workBranch ?? workBranchOf(sessionId)
      const sealed = repository.sealedCredentials
      const place = { ...placeOf(sessionId, directory, sealed), workBranch }
      record.repository = await known(git, 'repositories').fill(repository, place, ctx, onGit)
      if (sealed !== undefined) record.credentials = { sealed, sessionId }
    }
    const written = createWorkspaceFiles(directory, { aside: stagingIn(aside, life) })
    for (const [name, text] of Object.entries(files)) {
      await written.write(
        name,
        Readable.from([Buffer.from(text)]),
        { maxBytes: MAX_FILE_BYTES, secrets: true },
        ctx.signal,
      )
    }
    if (snapshots && (await readdir(directory)).length > 0) {
      await snapshots.take({ directory, aside }, START, ctx.signal)
      record.snapshot = true
    }
    await writeStart(aside, record)
  }

  return {
    check({ repository, files = {} }, delivery) {
      if (repository) known(git, 'repositories').check(repository, delivery)
      for (const name of Object.keys(files)) {
        if (parsePath(name).length > 0) continue
        throw new GatewayError('INVALID_REQUEST', `files: ${JSON.stringify(name)} names no file.`)
      }
    },
    async find(sessionId) {
      const directory = await directories.find(sessionId)
      return directory === undefined ? undefined : workspaceAt(sessionId, directory)
    },
    copy: (from, to, signal) => copyWorkspace({ directories, maxBytes: maxCopyBytes }, { from, to }, signal),
    remove: (sessionId) => directories.remove(sessionId),
    async clearLeftovers(log) {
      await clearLeftovers(directories, life, log)
      await git?.clearLeftovers(log)
    },
    make: async (sessionId) => workspaceAt(sessionId, await directories.create(sessionId)),
    async open(sessionId, fill, ctx, onGit) {
      const known = await directories.find(sessionId)
      const directory = known ?? (await directories.create(sessionId))
      const result = { path: directory, made: known === undefined }
      try {
        const isFilled = !result.made && (await readStart(asideOf(sessionId))) !== undefined
        const isPlain = fill.repository === undefined && fill.files === undefined && result.made
        if (!isFilled && !isPlain) await fillDirectory(sessionId, directory, fill, { ctx, onGit })
        return result
      } catch (error) {
        if (result.made) await directories.remove(sessionId)
        throw error
      }
    },
  }
}

function known<T>(part: T | undefined, what: string): T {
  if (part) return part
  throw new GatewayError('UNSUPPORTED_OPTION', `This executor has no ${what}.`)
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    await removeTree(path.join(directory, name))
  }
}
