import { constants, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'

/** Longest of the small files that a command leaves, in bytes. */
const MAX_NOTE_BYTES = 64 * 1024
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

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

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
