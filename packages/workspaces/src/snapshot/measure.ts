import { opendirSync, type Stats } from 'node:fs'
import type { WorkspaceLimits, WorkspaceSize } from '@opencode-gateway/contracts'
import { holdDirectory, systemCode, unlessGone, type HeldDirectory } from './held-directory.ts'

const BLOCK_BYTES = 512
const MAX_DEPTH = 200

export interface Measured {
  directories: readonly string[]
  /** Those that are not there, or may not be read, count as empty; else the system's error is thrown. */
  optional: boolean
  limits: WorkspaceLimits
}

/**
 * What directories take on the disk; no link is followed, and what has several names counts once. What may not be read
 * counts by itself alone. Counting stops where a limit is passed, however much there is.
 */
export function measure({ directories, optional, limits: { maxBytes, maxFiles } }: Measured): WorkspaceSize {
  const linked = new Set<string>()
  const size = { bytes: 0, files: 0, whole: true }

  function count(stat: Stats): void {
    size.files += 1
    if (stat.nlink > 1 && !stat.isDirectory()) {
      const id = `${stat.dev}:${stat.ino}`
      if (linked.has(id)) return
      linked.add(id)
    }
    size.bytes += stat.blocks * BLOCK_BYTES
    if (size.bytes > maxBytes || size.files > maxFiles) size.whole = false
  }

  function visit(directory: HeldDirectory, depth: number): void {
    for (const name of directoriesIn(directory)) {
      if (!size.whole) return
      if (depth === MAX_DEPTH) {
        size.whole = false
        return
      }
      using inner = unlessGone(() => openUnlessDenied(directory, name))
      if (inner) visit(inner, depth + 1)
    }
  }

  /** Counts what lies in a directory, as it is read: there may be millions of names. */
  function directoriesIn(directory: HeldDirectory): readonly string[] {
    const found: string[] = []
    using entries = unlessGone(() => opendirSync(directory.at('.'), { encoding: 'latin1', bufferSize: 512 }))
    for (let entry = entries?.readSync(); entry && size.whole; entry = entries?.readSync()) {
      const stat = directory.stat(entry.name)
      if (!stat) continue
      count(stat)
      if (stat.isDirectory()) found.push(entry.name)
    }
    return found
  }

  for (const directory of directories) {
    if (!size.whole) break
    using root = optional ? unlessGone(() => holdUnlessDenied(directory)) : holdDirectory(directory)
    if (root) visit(root, 1)
  }
  return size
}

const openUnlessDenied = (directory: HeldDirectory, name: string) => unlessDenied(() => directory.open(name))

const holdUnlessDenied = (directory: string) => unlessDenied(() => holdDirectory(directory))

function unlessDenied(open: () => HeldDirectory): HeldDirectory | undefined {
  try {
    return open()
  } catch (error) {
    if (systemCode(error) === 'EACCES') return undefined
    throw error
  }
}
