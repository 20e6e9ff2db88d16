import type { Stats } from 'node:fs'
import { directoriesOf, type Entry, type Snapshot } from './entry.ts'
import { readRegularFile, systemCode, unlessGone, type HeldDirectory } from './held-directory.ts'
import { isIgnored, parseIgnoreFile, type IgnoreFile } from './ignore-rules.ts'

export interface ScanOptions {
  /** What it held before: of this everything counts, whatever `.gitignore` says. Without it there is nothing ignored. */
  base?: Snapshot
  maxFiles: number
  /** Whether a path counts although `.gitignore` hides it. */
  isShown(path: string): boolean
}

/** What is told of a directory, in the order of the names. */
export interface ScanVisitor {
  /** What is neither a directory nor hidden; `at` names it for a call that follows no link in the last place. */
  leaf(path: string, stat: Stats, at: Buffer, known: Entry | undefined): void
  directory?(path: string): void
  /** A file or a whole directory that is hidden. */
  ignored?(path: string): void
  /** A directory that cannot be read: it is not allowed, or it lies too deep. */
  unreadable(path: string): void
}

const MAX_DEPTH = 200
const MAX_IGNORE_BYTES = 1024 * 1024

/**
 * Looks at every path below a directory and follows no link. What goes while it looks is not there. Nested repositories
 * are directories like any other, but for their `.git`. False when there were more paths than `maxFiles`.
 */
export function scan(root: HeldDirectory, options: ScanOptions, visitor: ScanVisitor): boolean {
  const { base, maxFiles, isShown } = options
  const entries: ReadonlyMap<string, Entry> = base?.entries ?? new Map()
  const directories = directoriesOf(entries)
  let seen = 0
  let whole = true

  function visit(directory: HeldDirectory, prefix: string, above: readonly IgnoreFile[], hidden: boolean): void {
    const names = unlessGone(() => directory.list()) ?? []
    const rules = base && !hidden && names.includes('.gitignore') ? [...above, ...rulesIn(directory, prefix)] : above
    for (const name of names) {
      const stat = directory.stat(name)
      if (!stat) continue
      seen += 1
      if (seen > maxFiles) {
        whole = false
        return
      }
      const path = prefix + name
      const isDirectory = stat.isDirectory()
      const ignored = hidden || (base !== undefined && isIgnored(rules, path, isDirectory))
      if (isDirectory) {
        if (ignored && !directories.has(path)) visitor.ignored?.(path)
        else enter(directory, name, { path, rules, ignored })
        continue
      }
      const known = counted(entries.get(path))
      const shown = !ignored || known !== undefined || name === '.gitignore' || isShown(path)
      if (!shown) visitor.ignored?.(path)
      else visitor.leaf(path, stat, directory.at(name), known)
    }
  }

  function enter(
    parent: HeldDirectory,
    name: string,
    { path, rules, ignored }: { path: string; rules: readonly IgnoreFile[]; ignored: boolean },
  ): void {
    if (path.split('/').length > MAX_DEPTH) {
      visitor.unreadable(path)
      return
    }
    try {
      using directory = unlessGone(() => parent.open(name))
      if (!directory) return
      visitor.directory?.(path)
      visit(directory, `${path}/`, rules, ignored)
    } catch (error) {
      if (systemCode(error) !== 'EACCES') throw error
      visitor.unreadable(path)
    }
  }

  visit(root, '', [], false)
  return whole
}

/** That something hidden was there makes it nobody's business still. */
const counted = (entry: Entry | undefined): Entry | undefined => (entry?.kind === 'ignored' ? undefined : entry)

function rulesIn(directory: HeldDirectory, prefix: string): IgnoreFile[] {
  const found = readable(directory.at('.gitignore'), MAX_IGNORE_BYTES)
  return found ? [parseIgnoreFile(prefix, found.content.toString('latin1'))] : []
}

/** Undefined also for what may not be read. */
export function readable(path: Buffer, maxBytes: number): ReturnType<typeof readRegularFile> {
  try {
    return unlessGone(() => readRegularFile(path, maxBytes))
  } catch (error) {
    if (systemCode(error) === 'EACCES') return undefined
    throw error
  }
}
