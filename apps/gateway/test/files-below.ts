import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Every file below a directory by its path there, byte by byte as text. */
export async function filesBelow(directory: string): Promise<[string, string][]> {
  const names = await readdir(directory, { recursive: true })
  const files = await Promise.all(
    names.map(async (name): Promise<[string, string][]> => {
      const file = join(directory, name)
      const isFile = (await stat(file).catch(() => undefined))?.isFile() ?? false
      return isFile ? [[name, await readFile(file, 'latin1')]] : []
    }),
  )
  return files.flat()
}
