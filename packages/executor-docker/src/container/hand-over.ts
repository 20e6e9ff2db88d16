import { constants } from 'node:fs'
import { lchown, lstat, open, readdir } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { ContainerUser } from '../options.ts'

/** What lies deeper an agent has made itself. */
const MAX_DEPTH = 128
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Gives a directory and all in it to the container's user; with `along`, only what lies on the way of these names. No
 * link is followed, also none that an agent puts there meanwhile: we would give away files of the machine.
 */
export async function handOver(
  directory: string,
  user: ContainerUser,
  { along }: { along?: readonly string[] } = {},
): Promise<void> {
  // Everybody but root works under one uid with the container.
  if (process.getuid?.() !== 0) return
  const handle = await open(directory, DIRECTORY)
  try {
    const { uid, gid } = await handle.stat()
    if (uid !== user.uid || gid !== user.gid) await handle.chown(user.uid, user.gid)
    await giveBelow(handle, user, along, 1)
  } finally {
    await handle.close()
  }
}

async function giveBelow(
  handle: FileHandle,
  user: ContainerUser,
  along: readonly string[] | undefined,
  depth: number,
): Promise<void> {
  const at = `/proc/self/fd/${handle.fd}`
  for (const name of along ? along.slice(0, 1) : await readdir(at)) {
    const below = await give(`${at}/${name}`, user)
    if (!below) continue
    try {
      if (depth < MAX_DEPTH) await giveBelow(below, user, along?.slice(1), depth + 1)
    } finally {
      await below.close()
    }
  }
}

/** Settles with the directory that is to be gone into. What an agent removes or replaces meanwhile is its own. */
async function give(path: string, user: ContainerUser): Promise<FileHandle | undefined> {
  try {
    const found = await lstat(path)
    if (found.uid !== user.uid || found.gid !== user.gid) await lchown(path, user.uid, user.gid)
    return found.isDirectory() ? await open(path, DIRECTORY) : undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
}
