import { rm } from 'node:fs/promises'
import path from 'node:path'
import { createTree } from './files/directory.ts'
import { removeFile } from './files/remove.ts'
import { systemCode } from './files/system-errors.ts'

/** As deep as a file system has room for, and as many names as an agent can make meanwhile. */
const MAX_ROUNDS = 100_000

/**
 * Removes a directory with all that is in it, what is deeper than a path can say and what its owner may not write in
 * included, as the caches of some tools are. Nobody works in it any more.
 */
export async function removeTree(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    if (!['ENAMETOOLONG', 'EACCES'].includes(systemCode(error) ?? '')) throw error
    const tree = createTree(path.dirname(directory))
    // Nothing is closed to root, who would open whatever a link leads to.
    const opening = process.geteuid?.() !== 0
    await removeFile(tree, path.basename(directory), { recursive: true, opening, maxRounds: MAX_ROUNDS })
  }
}
