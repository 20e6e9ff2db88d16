/**
 * What a snapshot knows of one path. Paths are bytes, one character each (`latin1`): names need not be UTF-8.
 * `opaque`: was there, and is not kept, since it was too large or could not be read. `ignored`: was there, a file or a
 * whole directory, and is nobody's business.
 */
export type Entry = FileEntry | LinkEntry | OpaqueEntry | { kind: 'directory' } | { kind: 'ignored' }

interface FileEntry extends Kept {
  kind: 'file'
  executable: boolean
}

interface LinkEntry extends Kept {
  kind: 'link'
}

interface OpaqueEntry {
  kind: 'opaque'
  tag: string
}

/** Where the content lies, and what it was read from. */
export interface Kept extends Blob {
  /** Of the file; empty when it may have changed while it was read. */
  tag: string
}

/** A piece of the content file. */
export interface Blob {
  hash: string
  offset: number
  length: number
}

/** What a directory held at one moment. */
export interface Snapshot {
  entries: ReadonlyMap<string, Entry>
  /** There was more than could be recorded: a path that is not here may have been there all the same. */
  truncated: boolean
}

/** A line for each path, after one for the whole. */
export function formatSnapshot({ entries, truncated }: Snapshot): string {
  const lines = [JSON.stringify({ version: 1, truncated, count: entries.size })]
  for (const [path, entry] of entries) lines.push(JSON.stringify([path, entry]))
  return `${lines.join('\n')}\n`
}

/** Throws when the text is not what `formatSnapshot` made. */
export function parseSnapshot(text: string): Snapshot {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  const { version, truncated, count } = JSON.parse(head)
  if (version !== 1 || lines.length !== count) throw new Error('the list of a snapshot is damaged')
  const entries = new Map<string, Entry>(lines.map((line): [string, Entry] => JSON.parse(line)))
  return { entries, truncated: truncated === true }
}

/** The directories of a snapshot: those it recorded, and those above whatever it recorded. */
export function directoriesOf(entries: ReadonlyMap<string, Entry>): ReadonlySet<string> {
  const directories = new Set<string>()
  for (const [path, { kind }] of entries) {
    if (kind === 'directory') directories.add(path)
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end)
      if (directories.has(above)) break
      directories.add(above)
    }
  }
  return directories
}

/** A path for people and for the wire; bytes that are not UTF-8 become `\uFFFD`. */
export const shownPath = (path: string): string => Buffer.from(path, 'latin1').toString('utf8')
