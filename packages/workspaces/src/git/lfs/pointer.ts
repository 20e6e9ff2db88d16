/** What a repository has in the place of a large file. */
export interface Pointer {
  /** SHA-256 of the content, in hex. */
  oid: string
  /** Of the content, bytes. */
  size: number
}

/** No pointer is as long. */
export const POINTER_LIMIT_BYTES = 1024

const VERSION = 'version https://git-lfs.github.com/spec/v1\n'
const FORM = /^oid sha256:(?<oid>[0-9a-f]{64})\nsize (?<size>\d{1,15})\n?$/

/** Whether a file is one that was never replaced by its content; also one with extensions, which nothing here knows. */
export function looksLikePointer(text: string): boolean {
  return text.length < POINTER_LIMIT_BYTES && text.startsWith(VERSION)
}

/** Undefined for a text that is no pointer. */
export function parsePointer(text: string): Pointer | undefined {
  if (!looksLikePointer(text)) return undefined
  const { oid, size } = FORM.exec(text.slice(VERSION.length))?.groups ?? {}
  return oid === undefined || size === undefined ? undefined : { oid, size: Number(size) }
}

export function pointerText({ oid, size }: Pointer): string {
  return `${VERSION}oid sha256:${oid}\nsize ${size}\n`
}

/** Below the directory where objects are kept, as git-lfs names it. */
export function objectPath(oid: string): readonly [string, string, string] {
  return [oid.slice(0, 2), oid.slice(2, 4), oid]
}
