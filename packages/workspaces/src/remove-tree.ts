import { rm } from 'node:fs/promises'
import path from 'node:path'
import { createTree } from './files/directory.ts'
import { removeFile } from './files/remove.ts'
import { systemCode } from './files/system-errors.ts'

/** Removes a directory with all that is in it, deeper than a path can say it included. */
export async function removeTree(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    if (systemCode(error) !== 'ENAMETOOLONG') throw error
    await removeFile(createTree(path.dirname(directory)), path.basename(directory), { recursive: true })
  }
}
