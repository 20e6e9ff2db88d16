import type { Workspace, WorkspaceFiles } from '@opencode-gateway/contracts'
import { createWorkspaces } from '@opencode-gateway/workspaces'
import type { OwnedWorkspaces, WorkspacesOptions } from '@opencode-gateway/workspaces'
import { handOver } from './container/hand-over.ts'
import type { ContainerUser } from './options.ts'

/** Workspaces in which what we make is the container's, too. */
export function createSharedWorkspaces(options: WorkspacesOptions, user: ContainerUser): OwnedWorkspaces {
  // Written files are given away before they are seen: their tags would change with their owner.
  const workspaces = createWorkspaces(process.getuid?.() === 0 ? { ...options, owner: user } : options)
  return {
    ...workspaces,
    async find(sessionId) {
      const found = await workspaces.find(sessionId)
      return found && shareWorkspace(found, user)
    },
    make: async (sessionId) => shareWorkspace(await workspaces.make(sessionId), user),
  }
}

function shareWorkspace(workspace: Workspace, user: ContainerUser): Workspace {
  const { path } = workspace
  const give = async (along?: string): Promise<void> =>
    await handOver(path, user, along === undefined ? {} : { along: along.split('/').filter((name) => name !== '') })
  const afterwards = async <T>(call: Promise<T>, along?: string): Promise<T> => {
    const [result] = await Promise.allSettled([call])
    if (result.status === 'fulfilled') {
      await give(along)
      return result.value
    }
    // It may have made something all the same. Its own error is what counts: a path may be none at all.
    await give(along).catch(() => undefined)
    throw result.reason
  }
  const { files } = workspace
  const shared: WorkspaceFiles = {
    ...files,
    write: (name, content, options, signal) => afterwards(files.write(name, content, options, signal), name),
    makeDirectory: (name) => afterwards(files.makeDirectory(name), name),
    move: (from, to, options) => afterwards(files.move(from, to, options), to),
    unpack: (archive, limits, signal) => afterwards(files.unpack(archive, limits, signal)),
  }
  return {
    ...workspace,
    files: shared,
    reset: (after, signal) => afterwards(workspace.reset(after, signal)),
    deliver: (delivery, ctx, onGit) => afterwards(workspace.deliver(delivery, ctx, onGit)),
  }
}
