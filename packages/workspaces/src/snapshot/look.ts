import { readlinkSync, type Stats } from 'node:fs'
import type { Entry } from './entry.ts'
import { readRegularFile, systemCode, tagOf, unlessGone } from './held-directory.ts'

/** What a path is at the moment, with its content. `opaque`: it is there, and its content is not to be had. */
export type Look =
  | { kind: 'file'; executable: boolean; content: Buffer; tag: string }
  | { kind: 'link'; content: Buffer; tag: string }
  | { kind: 'opaque'; tag: string }

/** How long after a change of a file the next one may have the same time. */
const CLOCK_STEP_MS = 50

/** Undefined when it has gone, or is no file and no link. */
export function lookAt(path: Buffer, stat: Stats, maxBytes: number): Look | undefined {
  if (stat.isSymbolicLink()) {
    const content = unlessGone(() => readlinkSync(path, { encoding: 'buffer' }))
    return content && { kind: 'link', content, tag: steadyTag(stat) }
  }
  if (!stat.isFile()) return undefined
  // There is nothing else to tell it by.
  const opaque = { kind: 'opaque', tag: tagOf(stat) } as const
  if (stat.size > maxBytes) return opaque
  try {
    const read = unlessGone(() => readRegularFile(path, maxBytes))
    if (!read) return undefined
    const { content, settled, stat: opened } = read
    return { kind: 'file', executable: isExecutable(opened), content, tag: settled ? steadyTag(opened) : '' }
  } catch (error) {
    if (systemCode(error) === 'EACCES') return opaque
    throw error
  }
}

/** Whether what was recorded of a path is what lies there, as far as that can be told without reading it. */
export function isUntouched(entry: Entry, stat: Stats): boolean {
  if (entry.kind !== 'file' && entry.kind !== 'link' && entry.kind !== 'opaque') return false
  return entry.tag !== '' && entry.tag === tagOf(stat)
}

const isExecutable = ({ mode }: Stats): boolean => (mode & 0o100) !== 0

/** A file that was changed just now may be changed again within the same tick of the clock. */
function steadyTag(stat: Stats): string {
  return stat.ctimeMs < Date.now() - CLOCK_STEP_MS ? tagOf(stat) : ''
}
