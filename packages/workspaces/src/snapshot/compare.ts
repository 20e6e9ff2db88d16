import type { FileDiff } from '@opencode-gateway/contracts'
import { hashOf, type ContentFile } from './content-file.ts'
import type { Entry, Snapshot } from './entry.ts'
import type { HeldDirectory } from './held-directory.ts'
import type { Side, TreePair } from './import-stream.ts'
import { isUntouched, lookAt, type Look } from './look.ts'
import { scan, type ScanOptions } from './scan.ts'

export interface CompareOptions extends ScanOptions {
  base: Snapshot
  maxFileBytes: number
  /** Of all that differs, both sides. What is beyond is told by name alone. */
  maxBytes: number
  /** Whether a path is told by name alone. */
  isWithheld(path: string): boolean
}

/** A path that differs and whose content is not shown. */
export interface Withheld {
  path: string
  status: Exclude<FileDiff['status'], 'renamed'>
}

export interface Comparison {
  withheld: readonly Withheld[]
  /** Something may differ that is not told. */
  truncated: boolean
}

type Before = Extract<Entry, { kind: 'file' | 'link' | 'opaque' }>

/** Tells what differs from `base`; what can be shown goes into `pair`, both sides of it. */
export function compare(
  root: HeldDirectory,
  { contents, pair }: { contents: ContentFile; pair: TreePair },
  options: CompareOptions,
): Comparison {
  const { base, maxFileBytes, maxBytes, isWithheld } = options
  const missing = new Map<string, Before>(
    [...base.entries].flatMap(([path, entry]) => (isLeaf(entry) ? [[path, entry]] : [])),
  )
  const withheld: Withheld[] = []
  const unseen: string[] = []
  let bytes = 0

  function tell(path: string, before: Before | undefined, after: Look | undefined): void {
    const status = before === undefined ? 'added' : after === undefined ? 'deleted' : 'modified'
    const both = lengthOf(before) + (after && after.kind !== 'opaque' ? after.content.length : 0)
    const shown = before?.kind !== 'opaque' && after?.kind !== 'opaque' && bytes + both <= maxBytes && !isWithheld(path)
    if (!shown) {
      withheld.push({ path, status })
      return
    }
    bytes += both
    if (before) pair.before(path, sideOf(before, contents))
    if (after) pair.after(path, after)
  }

  const whole = scan(root, options, {
    leaf(path, stat, at, entry) {
      const before = entry && isLeaf(entry) ? entry : undefined
      if (before && isUntouched(before, stat)) {
        missing.delete(path)
        return
      }
      const after = lookAt(at, stat, maxFileBytes)
      if (!after) return
      missing.delete(path)
      if (!before || !isSame(before, after)) tell(path, before, after)
    },
    unreadable: (path) => unseen.push(`${path}/`),
  })
  // Of what was not looked at nobody knows whether it is gone.
  const isGone = (path: string): boolean => whole && !unseen.some((prefix) => path.startsWith(prefix))
  for (const [path, before] of missing) if (isGone(path)) tell(path, before, undefined)
  return { withheld, truncated: !whole || unseen.length > 0 || base.truncated }
}

const isLeaf = (entry: Entry): entry is Before => entry.kind !== 'directory' && entry.kind !== 'ignored'

const lengthOf = (before: Before | undefined): number => (before && before.kind !== 'opaque' ? before.length : 0)

function isSame(before: Before, after: Look): boolean {
  if (before.kind === 'opaque' || after.kind === 'opaque') return before.kind === after.kind && sameTag(before, after)
  if (before.kind !== after.kind || before.hash !== hashOf(after.content)) return false
  return before.kind !== 'file' || after.kind !== 'file' || before.executable === after.executable
}

const sameTag = (before: Before, after: Look): boolean => before.tag === after.tag && before.tag !== ''

function sideOf(before: Exclude<Before, { kind: 'opaque' }>, contents: ContentFile): Side {
  const content = contents.read(before)
  return before.kind === 'link' ? { kind: 'link', content } : { kind: 'file', content, executable: before.executable }
}
