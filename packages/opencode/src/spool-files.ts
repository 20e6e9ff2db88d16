import { constants, existsSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'

/** Longest of the small files that a command leaves, in bytes. */
const MAX_NOTE_BYTES = 64 * 1024
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/**
 * Opens a file of a directory in which an agent can do anything, the directory itself included: no link is followed,
 * and what is not a plain file is refused. Rejects with the system's own error when there is none.
 */
export async function openInSpool(directory: string, name: string, flags: number): Promise<FileHandle> {
  const held = await open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(refuseOthers)
  try {
    // A pipe would make who opens it wait for its other end.
    const file = await open(path.join(pathOf(held, directory), name), flags | O_NOFOLLOW | O_NONBLOCK).catch(
      refuseOthers,
    )
    if ((await file.stat()).isFile()) return file
    await file.close()
    throw tampered(undefined)
  } finally {
    await held.close()
  }
}

/** The text of a small file; undefined when there is none. */
export async function readInSpool(directory: string, name: string): Promise<string | undefined> {
  let file: FileHandle
  try {
    file = await openInSpool(directory, name, O_RDONLY)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_NOTE_BYTES + 1), 0, MAX_NOTE_BYTES + 1, 0)
    if (bytesRead > MAX_NOTE_BYTES) throw tampered(undefined)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

export interface SpoolFile {
  name: string
  content: string | Buffer
  mode?: number
}

/**
 * Makes a directory with these files in it, where an agent may do anything meanwhile: each file is made anew in the
 * directory that is held. Rejects with EEXIST when there is something of that name.
 */
export async function makeSpool(
  directory: string,
  files: readonly SpoolFile[],
  owner: { uid: number; gid: number } | undefined,
): Promise<void> {
  await mkdir(directory, { mode: 0o700 })
  const held = await open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(refuseOthers)
  try {
    for (const { name, content, mode } of files) {
      const place = path.join(pathOf(held, directory), name)
      const file = await open(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
      try {
        await file.writeFile(content)
        if (mode !== undefined) await file.chmod(mode)
        if (owner) await file.chown(owner.uid, owner.gid)
      } finally {
        await file.close()
      }
    }
    // Last: nobody else can put anything into it before.
    if (owner) await held.chown(owner.uid, owner.gid)
  } finally {
    await held.close()
  }
}

/** By its descriptor, where the system has such paths: whatever takes its place meanwhile is not looked at. */
function pathOf({ fd }: FileHandle, directory: string): string {
  const path = `/proc/self/fd/${fd}`
  return existsSync(path) ? path : directory
}

function refuseOthers(error: unknown): never {
  const code = codeOf(error)
  if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'ENXIO' || code === 'EISDIR') throw tampered(error)
  throw error
}

function tampered(cause: unknown): ExecutorError {
  return new ExecutorError('RUN_FAILED', 'the files of the command were tampered with', { cause, retryable: false })
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
