import { constants } from 'node:fs'
import { chmod, open as openFile, rm } from 'node:fs/promises'
import type { ContainerResources } from '@opencode-gateway/contracts'
import { socketNames } from '../container/inside.ts'
import type { OpenEgress, OpenSocket, SessionSocket } from '../options.ts'

/** What leads out of containers. */
export interface WaysOutOptions {
  openModels: OpenSocket
  openEgress?: OpenEgress | undefined
  /** What a session has less than all have. */
  ownLimits(sessionId: string): ContainerResources | undefined
}

/** Opens the session's way to its models, and the one to other hosts where there is one. */
export async function openWaysOut(
  { openModels, openEgress, ownLimits }: WaysOutOptions,
  place: { sessionId: string; directory: string },
  signal: AbortSignal,
): Promise<SessionSocket> {
  const models = await openSocket(openModels, { ...place, name: socketNames.models }, signal)
  if (!openEgress) return models
  try {
    const only = ownLimits(place.sessionId)?.egress
    const open: OpenSocket = (sessionId, path) => openEgress(sessionId, path, only)
    const egress = await openSocket(open, { ...place, name: socketNames.egress }, signal)
    return inTurn(egress, models)
  } catch (error) {
    await models.close()
    throw error
  }
}

/**
 * The directory is ours alone to write in; its descriptor is part of the socket's path, since that of a directory may
 * be longer than a socket's can be.
 */
async function openSocket(
  listen: OpenSocket,
  { sessionId, directory, name }: { sessionId: string; directory: string; name: string },
  signal: AbortSignal,
): Promise<SessionSocket> {
  const handle = await openFile(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const path = `/proc/self/fd/${handle.fd}/${name}`
  try {
    // What a gateway left that is no more.
    await rm(path, { force: true })
    const socket = await listen(sessionId, path, signal)
    // Who may connect is whoever has the directory: the container and we.
    await chmod(path, 0o666)
    return inTurn(socket, handle)
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Closes both, whatever becomes of the first one. */
function inTurn(first: SessionSocket, second: SessionSocket): SessionSocket {
  return {
    async close() {
      try {
        await first.close()
      } finally {
        await second.close()
      }
    },
  }
}
