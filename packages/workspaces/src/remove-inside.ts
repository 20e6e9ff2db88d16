import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { GatewayError } from '@opencode-gateway/contracts'
import { createTree } from './files/directory.ts'
import { removeFile } from './files/remove.ts'

/**
 * Removes what a directory has under a name, with all that is in it; nothing happens when there is nothing. Somebody
 * else may swap any part of it meanwhile: no link is followed, that of the directory itself included.
 */
export async function removeInside(directory: string, name: string): Promise<void> {
  try {
    const root = path.join(await realpath(path.dirname(directory)), path.basename(directory))
    await removeFile(createTree(root), name, { recursive: true })
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function isGone(error: unknown): boolean {
  if (error instanceof GatewayError) return error.code === 'FILE_NOT_FOUND' || error.code === 'WORKSPACE_NOT_FOUND'
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
