import { constants } from 'node:fs'
import { chmod, open, rm } from 'node:fs/promises'
import { socketNames } from '../container/inside.ts'
import type { ModelsSocket, OpenModels } from '../options.ts'

/**
 * Opens the session's way to its models. The directory is ours alone to write in; its descriptor is part of the
 * socket's path, since that of a directory may be longer than a socket's can be.
 */
export async function openModelsSocket(
  openModels: OpenModels,
  { sessionId, directory }: { sessionId: string; directory: string },
  signal: AbortSignal,
): Promise<ModelsSocket> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const path = `/proc/self/fd/${handle.fd}/${socketNames.models}`
  try {
    // What a gateway left that is no more.
    await rm(path, { force: true })
    const socket = await openModels(sessionId, path, signal)
    // Who may connect is whoever has the directory: the container and we.
    await chmod(path, 0o666)
    return {
      async close() {
        try {
          await socket.close()
        } finally {
          await handle.close()
        }
      },
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}
