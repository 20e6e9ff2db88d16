import { join } from 'node:path'
import type { ConfigProblem } from './problem.ts'
import type { Surroundings } from './surroundings.ts'

export interface Directories {
  dataDir: string
  workspaceRoot: string
}

/** What stands in the way of the data stands in the way of the workspaces below it, too, and is told once. */
export function obstacles(
  { dataDir, workspaceRoot }: Directories,
  { obstacle }: Pick<Surroundings, 'obstacle'>,
): ConfigProblem[] {
  const directories = [{ name: 'DATA_DIR', path: dataDir }]
  if (!workspaceRoot.startsWith(join(dataDir, '/'))) directories.push({ name: 'WORKSPACE_ROOT', path: workspaceRoot })
  return directories.flatMap(({ name, path }) => {
    const found = obstacle(path)
    if (found === undefined) return []
    const expected = 'a directory this user may write to, or one that can be made'
    return [{ name, got: `${JSON.stringify(path)}: ${found}`, expected, consequence: 'the gateway does not start' }]
  })
}
