import {
  constants,
  fchmodSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { hashOf, type ContentFile } from './content-file.ts'
import { directoriesOf, type Entry, type Snapshot } from './entry.ts'
import { unlessGone, type HeldDirectory } from './held-directory.ts'
import { isUntouched, lookAt } from './look.ts'

/** Before it has its name; nobody else calls a file so. */
const STAGED = '.opencode-gateway-restored'

/**
 * Makes a directory what it was; what is right already is not touched. No link is followed. Returns the paths whose
 * content was not kept and that are not what they were.
 */
export function restore(
  root: HeldDirectory,
  { entries }: Snapshot,
  contents: ContentFile,
  maxFileBytes: number,
): readonly string[] {
  const lost: string[] = []
  const children = childrenOf(entries)

  function visit(directory: HeldDirectory, prefix: string): void {
    const wanted = children.get(prefix) ?? new Map<string, Entry>()
    for (const name of directory.list()) if (!wanted.has(name)) remove(directory, name)
    for (const [name, entry] of wanted) put(directory, name, { path: prefix + name, entry })
  }

  function put(directory: HeldDirectory, name: string, { path, entry }: { path: string; entry: Entry }): void {
    if (entry.kind === 'ignored') return
    const stat = directory.stat(name)
    if (entry.kind === 'directory') {
      if (!stat?.isDirectory()) {
        if (stat) remove(directory, name)
        mkdirSync(directory.at(name))
      }
      using inner = directory.open(name)
      visit(inner, `${path}/`)
      return
    }
    if (stat && isUntouched(entry, stat)) return
    if (entry.kind === 'opaque') lost.push(path)
    else if (!stat || !isAsRecorded(directory.at(name), stat, entry)) replace(directory, name, entry)
  }

  function isAsRecorded(at: Buffer, stat: Stats, entry: Extract<Entry, { kind: 'file' | 'link' }>): boolean {
    const look = lookAt(at, stat, maxFileBytes)
    if (!look || look.kind === 'opaque' || look.kind !== entry.kind || hashOf(look.content) !== entry.hash) return false
    return look.kind !== 'file' || entry.kind !== 'file' || look.executable === entry.executable
  }

  function replace(directory: HeldDirectory, name: string, entry: Extract<Entry, { kind: 'file' | 'link' }>): void {
    const content = contents.read(entry)
    writable(directory)
    if (directory.stat(name)?.isDirectory()) remove(directory, name)
    unlessGone(() => unlinkSync(directory.at(STAGED)))
    if (entry.kind === 'link') symlinkSync(content, directory.at(STAGED))
    else writeFile(directory.at(STAGED), content, entry.executable ? 0o755 : 0o644)
    renameSync(directory.at(STAGED), directory.at(name))
  }

  visit(root, '')
  return lost
}

/** What a snapshot has in each directory, by the directory's path with `/` at the end. */
function childrenOf(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, ReadonlyMap<string, Entry>> {
  const children = new Map<string, Map<string, Entry>>()
  const add = (path: string, entry: Entry): void => {
    const end = path.lastIndexOf('/') + 1
    const siblings = children.get(path.slice(0, end)) ?? new Map<string, Entry>()
    children.set(path.slice(0, end), siblings.set(path.slice(end), entry))
  }
  for (const path of directoriesOf(entries)) add(path, { kind: 'directory' })
  for (const [path, entry] of entries) add(path, entry)
  return children
}

/** With everything in it; a link is removed, not what it leads to. */
function remove(directory: HeldDirectory, name: string): void {
  const stat = directory.stat(name)
  if (!stat) return
  writable(directory)
  if (!stat.isDirectory()) {
    unlessGone(() => unlinkSync(directory.at(name)))
    return
  }
  {
    using inner = unlessGone(() => directory.open(name))
    if (inner) for (const child of inner.listAll()) remove(inner, child)
  }
  unlessGone(() => rmdirSync(directory.at(name)))
}

/** Tools write-protect the directories of their caches. */
function writable({ fd, mode }: HeldDirectory): void {
  if ((mode & 0o300) !== 0o300) fchmodSync(fd, mode | 0o700)
}

function writeFile(path: Buffer, content: Buffer, mode: number): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode)
  try {
    for (let done = 0; done < content.length;) done += writeSync(fd, content, done)
  } finally {
    closeSync(fd)
  }
}
