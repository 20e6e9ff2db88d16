import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import type { Tree } from './directory.ts'
import { entriesOf, isBeyondPaths, isGone } from './list.ts'
import { below, parsePath } from './path.ts'
import { isGit } from './protected-names.ts'
import { fileError } from './system-errors.ts'

/** The directories of a workspace that are watched, and the names of the files in them. */
export interface WatchedDirectories extends Disposable {
  /**
   * Watches a directory and all below it, `.git` and what lies behind links left out; the files in it, as paths. What
   * is watched already is looked at again.
   */
  add(path: string, signal: AbortSignal): Promise<readonly string[]>
  /** Forgets a file, or a directory with all below it; the files that were known there. */
  forget(path: string): readonly string[]
  /** Notes a file; false when it was known. */
  note(path: string): boolean
  /** Whether there was more than there is room for: what lies there is not seen. */
  readonly full: boolean
}

interface Watched {
  watcher: FSWatcher
  files: Set<string>
}

export interface WatchLimits {
  directories: number
  files: number
}

/** `onChange` is told of paths something happened to. */
export function watchDirectories(
  tree: Tree,
  limits: WatchLimits,
  onChange: (path: string) => void,
): WatchedDirectories {
  const watched = new Map<string, Watched>()
  let files = 0
  let full = false

  function close(path: string): string[] {
    const found = watched.get(path)
    if (found === undefined) return []
    found.watcher.close()
    watched.delete(path)
    files -= found.files.size
    return [...found.files].map((name) => below(path, name))
  }

  function note(path: string): boolean {
    const [above, name] = split(path)
    const known = watched.get(above)?.files
    if (known === undefined || known.has(name)) return false
    if (files >= limits.files) {
      full = true
      return true
    }
    known.add(name)
    files++
    return true
  }

  function start(self: string, path: string): boolean {
    if (watched.has(path)) return true
    if (watched.size >= limits.directories) return false
    try {
      const watcher = watch(self, (_event, name) => {
        if (typeof name === 'string' && !isGit([name])) onChange(below(path, name))
      })
      // The directory is gone; the one above tells.
      watcher.on('error', () => onChange(path))
      watched.set(path, { watcher, files: new Set() })
      return true
    } catch (error) {
      // The system has no more watches to give.
      if (['ENOSPC', 'EMFILE'].includes(error instanceof Error && 'code' in error ? String(error.code) : ''))
        return false
      throw error
    }
  }

  /** The files in one directory; the directories in it go to `next`. */
  async function scan(path: string, next: string[]): Promise<string[]> {
    const found: string[] = []
    await using directory = await tree.open(parsePath(path))
    // Watched before it is read: what comes in between is told twice rather than never.
    if (!start(directory.self, path)) {
      full = true
      return found
    }
    for await (const batch of entriesOf(directory, path)) {
      for (const entry of batch) {
        if (entry.kind !== 'directory') found.push(entry.path)
        else if (!isGit([split(entry.path)[1]])) next.push(entry.path)
      }
    }
    return found
  }

  return {
    note,
    get full() {
      return full
    },
    async add(path, signal) {
      const found: string[] = []
      const waiting = [path]
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        signal.throwIfAborted()
        try {
          for (const file of await scan(at, waiting)) if (note(file)) found.push(file)
        } catch (error) {
          if (path === '' && at === '') throw error
          const failure = fileError(error, at)
          if (isBeyondPaths(failure)) full = true
          else if (!isGone(failure)) throw error
        }
      }
      return found
    },
    forget(path) {
      const [above, name] = split(path)
      const known = watched.get(above)?.files
      if (known?.delete(name)) {
        files--
        return [path]
      }
      if (!watched.has(path)) return []
      const inside = [...watched.keys()].filter((at) => at === path || at.startsWith(`${path}/`))
      return inside.flatMap(close)
    },
    [Symbol.dispose]() {
      watched.forEach(({ watcher }) => watcher.close())
      watched.clear()
    },
  }
}

function split(path: string): [above: string, name: string] {
  const cut = path.lastIndexOf('/')
  return [path.slice(0, Math.max(cut, 0)), path.slice(cut + 1)]
}
