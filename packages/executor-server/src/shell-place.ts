import path from 'node:path'
import type { ShellPlace } from '@opencode-gateway/opencode'
import { removeInside } from '@opencode-gateway/workspaces'
import type { Directories } from '@opencode-gateway/workspaces'

/** Where the session's commands and their output are, as we and the engine see it. */
export function shellPlace(directories: Directories, sessionId: string): ShellPlace {
  const directory = directories.beside(sessionId, 'shell')
  const fromWorkspace = path.relative(directories.pathOf(sessionId), directory)
  return {
    directory,
    fromWorkspace,
    mark: `OPENCODE_GATEWAY_SESSION=${sessionId}`,
    remove: (name) => removeInside(directory, name),
  }
}
