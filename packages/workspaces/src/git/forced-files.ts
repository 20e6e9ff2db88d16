import { lstat, realpath } from 'node:fs/promises'
import path from 'node:path'

/**
 * What the agent staged of files that are not known yet, as far as they are there: the ignore rules may leave them out
 * of every other list. All names are in latin1, which keeps every byte.
 */
export async function forcedFiles(
  staged: readonly string[],
  known: ReadonlySet<string>,
  workTree: string,
): Promise<readonly string[]> {
  const root = Buffer.from(await realpath(workTree)).toString('latin1')
  const files: string[] = []
  for (const name of staged) if (!known.has(name) && (await isFileBelow(root, name))) files.push(name)
  return files
}

/** Whether it is there as a file or a link, and not by way of a link. */
async function isFileBelow(root: string, name: string): Promise<boolean> {
  const file = `${root}/${name}`
  const above = Buffer.from(path.posix.dirname(file), 'latin1')
  try {
    if (!(await realpath(above, 'buffer')).equals(above)) return false
    const found = await lstat(Buffer.from(file, 'latin1'))
    return found.isFile() || found.isSymbolicLink()
  } catch {
    // It is gone, or something else has its place.
    return false
  }
}
