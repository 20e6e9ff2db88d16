import type { ContentFile } from './content-file.ts'
import { hashOf } from './content-file.ts'
import type { Entry, Snapshot } from './entry.ts'
import type { HeldDirectory } from './held-directory.ts'
import { isUntouched, lookAt, type Look } from './look.ts'
import { scan, type ScanOptions } from './scan.ts'

export interface RecordOptions extends ScanOptions {
  maxFileBytes: number
  /** What is beyond is known by name alone. */
  maxBytes: number
  /** A later one than `base`: what it has is not read or kept again. */
  previous?: Snapshot
}

/** Takes down what a directory holds; contents that `base` or `previous` have are not kept twice. */
export function record(root: HeldDirectory, contents: ContentFile, options: RecordOptions): Snapshot {
  const { base, previous = base, maxFileBytes, maxBytes } = options
  const entries = new Map<string, Entry>()
  let bytes = 0
  let unreadable = false

  const entryOf = (look: Look, known: Entry | undefined): Entry => {
    if (look.kind === 'opaque') return look
    const { content, ...rest } = look
    if (known?.kind === look.kind && known.hash === hashOf(content)) return { ...known, ...rest }
    bytes += content.length
    if (bytes > maxBytes) return { kind: 'opaque', tag: look.tag }
    return { ...rest, ...contents.append(content) }
  }

  const whole = scan(root, options, {
    leaf(path, stat, at, inBase) {
      const known = previous?.entries.get(path) ?? inBase
      if (known && isUntouched(known, stat)) entries.set(path, known)
      else {
        const look = lookAt(at, stat, maxFileBytes)
        if (look) entries.set(path, entryOf(look, known))
      }
    },
    directory: (path) => entries.set(path, { kind: 'directory' }),
    ignored: (path) => entries.set(path, { kind: 'ignored' }),
    unreadable(path) {
      entries.set(path, { kind: 'ignored' })
      unreadable = true
    },
  })
  contents.flush()
  return { entries, truncated: !whole || unreadable || base?.truncated === true }
}
