import type { BigIntStats, Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import type { FileEntry, FileKind } from '@opencode-gateway/contracts'
import type { Directory } from './directory.ts'
import { systemCode } from './system-errors.ts'

export function kindOf(stats: Stats | BigIntStats): FileKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  return stats.isSymbolicLink() ? 'link' : 'other'
}

export function entryOf(path: string, stats: Stats | BigIntStats): FileEntry {
  const kind = kindOf(stats)
  return {
    path,
    kind,
    size: kind === 'file' ? Number(stats.size) : 0,
    modifiedAt: Math.trunc(Number(stats.mtimeMs)),
    mode: Number(stats.mode) & 0o7777,
  }
}

/** Whatever is done to a file moves the time of its last change, which nobody can set back. */
export const tagOf = (stats: BigIntStats): string =>
  [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].map((number) => number.toString(36)).join('-')

/** What a name of a directory stands for, the link itself when it is one; undefined when there is nothing. */
export async function lookAt(directory: Directory, name: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(directory.at(name), { bigint: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
