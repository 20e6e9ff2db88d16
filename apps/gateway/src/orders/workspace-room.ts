import { GatewayError, type Workspace, type WorkspaceLimits, type WorkspaceSize } from '@opencode-gateway/contracts'

/** What clients may still put into workspaces. */
export interface WorkspaceRoom {
  /** WORKSPACE_FULL when there is none. Measured anew where less than `bytes` would be left. */
  in(workspace: Workspace, bytes: number, signal: AbortSignal): Promise<WorkspaceLimits>
  /** Notes what was put in since. */
  used(workspace: Workspace, more: { bytes: number; files: number }): void
}

/** A workspace is measured again after this: the agent writes too. Milliseconds. */
const KNOWN_FOR_MS = 5000
const MAX_KNOWN = 1000

type Known = Pick<WorkspaceSize, 'bytes' | 'files'> & { at: number }

/** Counts what comes in on top of what was measured, so that a client with many files does not have all counted each time. */
export function createWorkspaceRoom(limits: WorkspaceLimits): WorkspaceRoom {
  const sizes = new Map<string, Known>()

  async function sizeOf(workspace: Workspace, room: number, signal: AbortSignal): Promise<Known> {
    const known = sizes.get(workspace.path)
    // What was written again counts twice until then: nobody is refused for that.
    const isEnough = known && known.bytes + room <= limits.maxBytes && known.files < limits.maxFiles
    if (isEnough && Date.now() - known.at < KNOWN_FOR_MS) return known
    const { bytes, files, whole } = await workspace.measure(limits, signal)
    if (!whole) throw full(limits)
    sizes.delete(workspace.path)
    for (const oldest of sizes.keys()) if (sizes.size >= MAX_KNOWN) sizes.delete(oldest)
    const size = { bytes, files, at: Date.now() }
    sizes.set(workspace.path, size)
    return size
  }

  return {
    async in(workspace, room, signal) {
      const { bytes, files } = await sizeOf(workspace, room, signal)
      const left = { maxBytes: limits.maxBytes - bytes, maxFiles: limits.maxFiles - files }
      if (left.maxBytes > 0 && left.maxFiles > 0) return left
      sizes.delete(workspace.path)
      throw full(limits)
    },
    used({ path }, { bytes, files }) {
      const known = sizes.get(path)
      if (known) sizes.set(path, { ...known, bytes: known.bytes + bytes, files: known.files + files })
    },
  }
}

const full = ({ maxBytes, maxFiles }: WorkspaceLimits): GatewayError =>
  new GatewayError(
    'WORKSPACE_FULL',
    `The workspace may have ${maxBytes} bytes on the disk and ${maxFiles} files, and has no room for more. Remove some.`,
  )

/** What is too large for a file, or for the room that is left. */
export async function withinRoom<T>(
  { maxBytes }: WorkspaceLimits,
  maxFileBytes: number,
  put: () => Promise<T>,
): Promise<T> {
  try {
    return await put()
  } catch (error) {
    if (maxBytes >= maxFileBytes || !(error instanceof GatewayError) || error.code !== 'PAYLOAD_TOO_LARGE') throw error
    const text = `The workspace has room for ${maxBytes} more bytes, and the file has more. Remove some.`
    throw new GatewayError('WORKSPACE_FULL', text, { cause: error })
  }
}
