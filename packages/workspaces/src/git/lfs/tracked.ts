import type { GitRunner } from '../runner.ts'

/**
 * Those of the files whose attributes say that Git LFS has them: a name and a value that are compared, no filter that is
 * run. Names in latin1, which keeps every byte.
 */
export async function trackedFiles(
  git: GitRunner,
  within: readonly string[],
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set()
  const input = Buffer.from(`${names.join('\0')}\0`, 'latin1')
  const text = await git.read([...within, 'check-attr', '-z', '--stdin', 'filter'], {
    signal,
    input,
    encoding: 'latin1',
  })
  const fields = text.split('\0')
  const found = new Set<string>()
  for (let index = 0; index + 2 < fields.length; index += 3) {
    if (fields[index + 2] === 'lfs') found.add(fields[index] ?? '')
  }
  return found
}
