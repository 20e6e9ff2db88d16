import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a directory and those above it, for this user alone; one that is there stays as it is. Not Node's `recursive`,
 * which tries for ever where a directory is there and takes no other, as in `/proc`.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (err) {
    if (await isDirectory(path)) return
    if (codeOf(err) !== 'ENOENT' || (await isDirectory(dirname(path)))) throw err
    await makeDirectory(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

const codeOf = (err: unknown): unknown => (err instanceof Error && 'code' in err ? err.code : undefined)
