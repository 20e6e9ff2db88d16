import { matchesGlob } from './glob.ts'

/** The lines of one `.gitignore`. */
export interface IgnoreFile {
  /** The directory it lies in, with `/` at the end; empty for the workspace itself. */
  prefix: string
  rules: readonly Rule[]
}

interface Rule {
  /** Names between `/`; `**` stands for any number of them. */
  pattern: readonly string[]
  /** A `!` before it: not ignored after all. */
  negated: boolean
  directoriesOnly: boolean
}

/** As git reads it, byte by byte. */
export function parseIgnoreFile(prefix: string, text: string): IgnoreFile {
  return {
    prefix,
    rules: text
      .replace(/^\xef\xbb\xbf/, '')
      .split('\n')
      .flatMap((line) => parseRule(line)),
  }
}

function parseRule(raw: string): Rule[] {
  let line = withoutTrailingSpaces(raw.replace(/\r$/, ''))
  if (line === '' || line.startsWith('#')) return []
  const negated = line.startsWith('!')
  if (negated) line = line.slice(1)
  const directoriesOnly = line.endsWith('/')
  if (directoriesOnly) line = line.slice(0, -1)
  if (line === '') return []
  const names = line
    .replace(/\\(.)/gs, (pair, character) => (character === '/' ? '/' : pair))
    .split('/')
    .map((name) => name.replace(/^\*{3,}$/, '**'))
  const anchored = names.length > 1
  if (anchored && names[0] === '') names.shift()
  return [{ pattern: anchored ? names : ['**', ...names], negated, directoriesOnly }]
}

function withoutTrailingSpaces(line: string): string {
  let end = line.length
  while (end > 0 && line[end - 1] === ' ' && !isEscaped(line, end - 1)) end -= 1
  return line.slice(0, end)
}

function isEscaped(line: string, index: number): boolean {
  let slashes = 0
  while (line[index - 1 - slashes] === '\\') slashes += 1
  return slashes % 2 === 1
}

/**
 * Whether a path is ignored, when no directory above it is: the last rule that matches decides, and of several files
 * the deepest. `files`: those of the directories above it, outermost first.
 */
export function isIgnored(files: readonly IgnoreFile[], path: string, directory: boolean): boolean {
  for (const { prefix, rules } of files.toReversed()) {
    const names = path.slice(prefix.length).split('/')
    const rule = rules.findLast(
      ({ pattern, directoriesOnly }) => (directory || !directoriesOnly) && matchesGlob(pattern, names),
    )
    if (rule) return !rule.negated
  }
  return false
}
