import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { exists } from './exists.ts'
import { removeTree } from './remove-tree.ts'
import { systemCode } from './files/system-errors.ts'

/** What tells which directories are ours, also after a crash. */
export interface Marks {
  prepare(): Promise<void>
  has(name: string): Promise<boolean>
  /** Makes a directory and its mark. Throws EEXIST when the directory is there and not ours. */
  make(name: string, directory: string): Promise<void>
  /** Removes a directory of ours with its mark; one that was only claimed goes when it is empty. */
  remove(name: string, directory: string): Promise<void>
  /** Names of what is marked or claimed. */
  list(): Promise<readonly string[]>
}

/**
 * A mark per directory lies beside the workspaces and not in them, where an agent could remove it. A claim comes before
 * the directory and becomes the mark after it, so a crash never leaves a directory of ours that nobody knows. Until then
 * the directory is empty, and one that is not came from elsewhere.
 */
export function createMarks(root: string): Marks {
  const markOf = (name: string): string => path.join(root, name)
  const claimOf = (name: string): string => path.join(root, `.${name}`)

  /** Also later: an agent's command may have removed it, for it is the engine's user who owns both. */
  const prepare = async (): Promise<void> => {
    await mkdir(root, { recursive: true, mode: 0o700 })
  }

  return {
    prepare,
    has: (name) => exists(markOf(name)),
    async make(name, directory) {
      if (await exists(claimOf(name))) await removeEmpty(directory)
      else {
        await prepare()
        if (!(await exists(directory))) await writeFile(claimOf(name), '')
      }
      await mkdir(directory, { mode: 0o700 })
      await rename(claimOf(name), markOf(name))
    },
    async remove(name, directory) {
      if (await exists(markOf(name))) {
        await removeTree(directory)
        await rm(markOf(name), { force: true })
      } else if (await exists(claimOf(name))) await removeEmpty(directory)
      await rm(claimOf(name), { force: true })
    },
    async list() {
      await prepare()
      return (await readdir(root)).map((name) => name.replace(/^\./, ''))
    },
  }
}

async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error
  }
}
