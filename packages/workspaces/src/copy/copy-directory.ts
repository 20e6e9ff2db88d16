import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { shownPath } from '../snapshot/entry.ts'
import { systemCode, unlessGone, type HeldDirectory } from '../snapshot/held-directory.ts'
import { SnapshotError } from '../snapshot/snapshot-error.ts'

export interface CopyLimits {
  /** Of all files together. */
  maxBytes: number
  maxFiles: number
  /** What is copied, as a sentence begins with it. */
  what: string
}

const MAX_DEPTH = 200
const { COPYFILE_EXCL, COPYFILE_FICLONE, O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

/**
 * Copies what a directory holds into an empty one: files, directories, links as links, `.git` too. No link is followed;
 * what is none of these is left out, and so is what goes meanwhile. Where the file system can share contents, it does.
 * Blocks: for a thread of its own.
 */
export function copyDirectory(from: HeldDirectory, to: HeldDirectory, limits: CopyLimits): void {
  let [files, bytes] = [0, 0]

  function count(size: number): void {
    files += 1
    bytes += size
    if (files <= limits.maxFiles && bytes <= limits.maxBytes) return
    const most = `${limits.maxFiles} files or ${limits.maxBytes} bytes`
    throw new SnapshotError(`${limits.what} has more than ${most}, so it cannot be copied.`, 'WORKSPACE_FULL')
  }

  function visit(source: HeldDirectory, target: HeldDirectory, prefix: string, depth: number): void {
    if (depth > MAX_DEPTH) throw new SnapshotError(`The directory "${shownPath(prefix)}" lies too deep to be copied.`)
    for (const name of source.listAll()) {
      const stat = source.stat(name)
      if (stat === undefined) continue
      const path = prefix + name
      try {
        if (stat.isDirectory()) enter(source, target, name, { path, depth })
        else if (stat.isSymbolicLink()) copyLink(source, target, name)
        else if (stat.isFile()) copyFile(source, target, name)
      } catch (error) {
        if (systemCode(error) !== 'EACCES') throw error
        throw new SnapshotError(`"${shownPath(path)}" may not be read, so it cannot be copied.`)
      }
    }
  }

  function enter(
    source: HeldDirectory,
    target: HeldDirectory,
    name: string,
    { path, depth }: { path: string; depth: number },
  ): void {
    using inner = unlessGone(() => source.open(name))
    if (inner === undefined) return
    count(0)
    mkdirSync(target.at(name), 0o700)
    using copied = target.open(name)
    visit(inner, copied, `${path}/`, depth + 1)
    fchmodSync(copied.fd, inner.mode & 0o7777)
  }

  function copyLink(source: HeldDirectory, target: HeldDirectory, name: string): void {
    const content = unlessGone(() => readlinkSync(source.at(name), { encoding: 'buffer' }))
    if (content === undefined) return
    count(0)
    symlinkSync(content, target.at(name))
  }

  function copyFile(source: HeldDirectory, target: HeldDirectory, name: string): void {
    const fd = unlessGone(() => openSync(source.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    if (fd === undefined) return
    try {
      const stat = fstatSync(fd)
      if (!stat.isFile()) return
      count(stat.size)
      copyOpenFile({ fd, at: source.at(name) }, target.at(name), stat)
    } finally {
      closeSync(fd)
    }
  }

  visit(from, to, '', 0)
}

/** By its descriptor: what takes its name meanwhile is not what is copied. Without `/proc` there is only the name. */
function copyOpenFile({ fd, at }: { fd: number; at: Buffer }, to: Buffer, { atime, mtime }: Stats): void {
  const open = `/proc/self/fd/${fd}`
  copyFileSync(existsSync(open) ? open : at, to, COPYFILE_EXCL | COPYFILE_FICLONE)
  utimesSync(to, atime, mtime)
}
