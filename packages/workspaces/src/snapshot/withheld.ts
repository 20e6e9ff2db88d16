import type { FileDiff } from '@opencode-gateway/contracts'
import type { Comparison } from './compare.ts'
import { shownPath } from './entry.ts'

const MAX_NAMED = 100

/** What differs and is told by name alone. */
export function withheldRows({ withheld }: Comparison): readonly FileDiff[] {
  const unknown = { additions: 0, deletions: 0, binary: false, truncated: true }
  return withheld.map(({ path, status }) => ({ path: shownPath(path), status, ...unknown }))
}

/** The same for a patch: `git apply` passes over what stands before the first header. */
export function leftOut({ withheld, truncated }: Comparison): string {
  const named = withheld
    .slice(0, MAX_NAMED)
    .map(({ path, status }) => `# not in here: ${JSON.stringify(shownPath(path))}, ${status}\n`)
  const more = withheld.length - named.length
  if (more > 0) named.push(`# not in here: ${more} more\n`)
  if (truncated) named.push('# not in here: what lies in directories that were too full, or may not be read\n')
  return named.join('')
}
