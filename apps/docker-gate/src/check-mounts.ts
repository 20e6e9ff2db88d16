import { lstat, realpath } from 'node:fs/promises'
import path from 'node:path'
import { Refusal } from './refusal.ts'

/**
 * Every source is a directory strictly below the root, named without detours, and no link leads away from it. The
 * daemon looks at the path again when the container starts: so does the gate.
 */
export async function checkMounts(sources: readonly string[], workspaceRoot: string): Promise<void> {
  const root = await realpath(workspaceRoot)
  for (const source of sources) {
    if (source.includes('\0') || !path.isAbsolute(source) || path.normalize(source) !== source || source.endsWith('/'))
      throw new Refusal(`mount source "${source}" is no plain absolute path`)
    const asked = path.relative(workspaceRoot, source)
    if (asked === '' || asked.startsWith('..') || path.isAbsolute(asked))
      throw new Refusal(`mount source "${source}" is not below the workspaces`)
    const real = await realpath(source).catch(() => undefined)
    if (real === undefined) throw new Refusal(`mount source "${source}" is not there`)
    if (real !== path.join(root, asked)) throw new Refusal(`mount source "${source}" is behind a link`)
    if (!(await lstat(real)).isDirectory()) throw new Refusal(`mount source "${source}" is no directory`)
  }
}
