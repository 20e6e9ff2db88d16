import { providerVariables } from './providers.ts'
import type { Environment } from './reader.ts'
import { variables } from './variables.ts'

const known: ReadonlySet<string> = new Set([
  ...Object.values(variables).flatMap(({ name, aliases }) => [name, ...aliases]),
  ...providerVariables,
])

/**
 * Warnings about names that look like ours and are none: those that begin with `OPENCODE_`, and those a typing error
 * away from a name of the table.
 */
export function unknownNames(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => !known.has(name))
    .flatMap((name) => {
      const meant = [...known].find((candidate) => candidate.length > 6 && distance(candidate, name) <= 2)
      if (meant !== undefined) return [`${name} is not a setting and is ignored; did you mean ${meant}?`]
      return name.startsWith('OPENCODE_') ? [`${name} is not a setting of the gateway and is ignored`] : []
    })
}

/** Levenshtein distance, or 3 for "more than 2" when the lengths alone say so. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
