import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Whom files are given to; only root can. */
export interface FileOwner {
  uid: number
  gid: number
}

/** A file that is complete and on the disk, not yet in its place; removed when it is disposed of and still there. */
export interface StagedFile extends AsyncDisposable {
  readonly path: string
  readonly bytes: number
}

/**
 * Writes a stream to a new file beside the workspace. There neither the agent nor its repository sees what is not
 * complete, and nothing stays in the workspace when the gateway dies. `onBytes` is told how many there are so far.
 */
export async function stageFile(
  aside: string,
  content: Readable | AsyncIterable<Buffer>,
  { mode, owner, onBytes }: { mode: number; owner?: FileOwner | undefined; onBytes: (bytes: number) => void },
): Promise<StagedFile> {
  await mkdir(aside, { recursive: true, mode: 0o700 })
  const file = path.join(aside, `upload-${randomUUID()}`)
  const handle = await open(file, FLAGS, 0o600)
  const remove = () => rm(file, { force: true })
  try {
    let bytes = 0
    for await (const chunk of content as AsyncIterable<Buffer>) {
      bytes += chunk.length
      onBytes(bytes)
      await handle.writeFile(chunk)
    }
    if (owner) await handle.chown(owner.uid, owner.gid)
    await handle.chmod(mode)
    await handle.sync()
    return { path: file, bytes, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  } finally {
    await handle.close()
  }
}
