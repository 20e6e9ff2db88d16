import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { Buffer } from 'node:buffer'

/** A directory that is held open: what takes its place meanwhile is not what its entries are read from. */
export interface HeldDirectory extends Disposable {
  readonly fd: number
  /** Permission bits, as they were when it was opened. */
  readonly mode: number
  /** Names as bytes, sorted; `.git` is not among them. */
  list(): readonly string[]
  /** `list`, with `.git`. */
  listAll(): readonly string[]
  /** An entry, for calls that do not follow a link in the last place. */
  at(name: string): Buffer
  /** Undefined when it is gone. */
  stat(name: string): Stats | undefined
  /** No link is followed. Throws what the system says. */
  open(name: string): HeldDirectory
}

const DESCRIPTORS = '/proc/self/fd'
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Without O_NONBLOCK the opening of a pipe waits for a writer. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Blocks: for a thread of its own. Where there is no `/proc` a directory that is replaced meanwhile is not noticed. */
export function holdDirectory(path: Buffer | string): HeldDirectory {
  const fd = openSync(path, DIRECTORY)
  const self = existsSync(DESCRIPTORS) ? `${DESCRIPTORS}/${fd}` : Buffer.from(path).toString('latin1')
  const at = (name: string): Buffer => Buffer.from(`${self}/${name}`, 'latin1')
  const listAll = (): readonly string[] => readdirSync(Buffer.from(self, 'latin1'), { encoding: 'latin1' }).toSorted()
  return {
    fd,
    mode: fstatSync(fd).mode,
    at,
    list: () => listAll().filter(isNotGit),
    listAll,
    stat: (name) => unlessGone(() => lstatSync(at(name))),
    open: (name) => holdDirectory(at(name)),
    [Symbol.dispose]: () => closeSync(fd),
  }
}

/** Where `.GIT` is `.git`, git takes it for one too, and refuses patches of it everywhere. */
const isNotGit = (name: string): boolean => name.toLowerCase() !== '.git'

/** A regular file as it is at the moment, at most `maxBytes` of it; undefined for anything else. */
export function readRegularFile(
  path: Buffer,
  maxBytes: number,
): { content: Buffer; stat: Stats; settled: boolean } | undefined {
  const fd = openSync(path, FILE)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size > maxBytes) return undefined
    const content = Buffer.allocUnsafe(stat.size)
    let length = 0
    for (let read = -1; read !== 0 && length < content.length; length += read) {
      read = readSync(fd, content, length, content.length - length, null)
    }
    return { content: content.subarray(0, length), stat, settled: tagOf(fstatSync(fd)) === tagOf(stat) }
  } finally {
    closeSync(fd)
  }
}

/** Differs whenever the content may: nobody but the system sets the time of the last change of a file. */
export const tagOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string => `${ino}:${size}:${mtimeMs}:${ctimeMs}`

/** Undefined when the file went while it was looked at, or became something else: the agent is at work. */
export function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
