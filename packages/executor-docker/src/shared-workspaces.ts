import type { Workspace, WorkspaceFiles } from '@opencode-gateway/contracts'
import type { OwnedWorkspaces } from '@opencode-gateway/workspaces'
import { handOver } from './hand-over.ts'
import type { ContainerUser } from './options.ts'

/** Workspaces in which what we make is the container's, too. */
export function shareWorkspaces(workspaces: OwnedWorkspaces, user: ContainerUser): OwnedWorkspaces {
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
  /** Also what a call has made that failed in the end. */
  const afterwards = async <T>(call: Promise<T>, along?: string): Promise<T> => {
    try {
      return await call
    } finally {
      await handOver(path, user, along === undefined ? {} : { along: along.split('/').filter((name) => name !== '') })
    }
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
