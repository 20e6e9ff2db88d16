import { GatewayError } from '@opencode-gateway/contracts'
import type { Header } from 'tar-stream'
import { staysInside } from './links.ts'
import { joined, parsePath, quoted } from './path.ts'
import { isGit, requireNoSecret } from './protected-names.ts'

/** What an entry of an archive asks for. */
export type Wanted =
  | { kind: 'directory'; names: readonly string[] }
  | { kind: 'file'; names: readonly string[]; mode: number }
  | { kind: 'link'; names: readonly string[]; target: string }

/** Undefined for the workspace itself, which is there. ARCHIVE_REFUSED, SECRET_FILE_DENIED. */
export function wantedOf(header: Header, secrets: boolean | undefined): Wanted | undefined {
  const names = namesOf(header)
  if (names.length === 0) {
    if (header.type === 'directory') return undefined
    throw refused(`the entry ${quoted(header.name)} names no file`)
  }
  if (isGit(names)) throw refused(`${quoted(joined(names))} belongs to git`)
  requireNoSecret(names, secrets)
  const { type, linkname, mode } = header
  if (type === 'directory') return { kind: 'directory', names }
  if (type === 'file' || type === 'contiguous-file')
    return { kind: 'file', names, mode: (mode & 0o100) === 0 ? 0o644 : 0o755 }
  if (type !== 'symlink') throw refused(`${quoted(joined(names))} is a ${type ?? 'thing of an unknown kind'}`)
  if (typeof linkname !== 'string' || !staysInside(names, linkname))
    throw refused(`the link ${quoted(joined(names))} leads out of the workspace`)
  return { kind: 'link', names, target: linkname }
}

function namesOf({ name }: Header): readonly string[] {
  try {
    return parsePath(name)
  } catch (error) {
    if (error instanceof GatewayError) throw refused(error.message)
    throw error
  }
}

export const refused = (reason: string, cause?: unknown): GatewayError =>
  new GatewayError('ARCHIVE_REFUSED', `The archive is refused: ${reason.replace(/\.$/, '')}. Nothing was unpacked.`, {
    cause,
  })

/** What an archive has asked for so far, one thing per path. */
export interface Manifest {
  /** Throws ARCHIVE_REFUSED for what contradicts an entry before it. */
  add(wanted: Wanted): void
}

/** An entry may replace one of its own kind; a directory that an entry lies in need not be named. */
export function createManifest(maxPaths: number): Manifest {
  const kinds = new Map<string, Wanted['kind']>()
  return {
    add({ kind, names }) {
      for (const index of names.keys()) {
        const path = joined(names.slice(0, index + 1))
        const expected = index === names.length - 1 ? kind : 'directory'
        const found = kinds.get(path) ?? expected
        if (found !== expected) throw refused(`${quoted(path)} is a ${found} and a ${expected} in it`)
        kinds.set(path, expected)
        if (kinds.size > maxPaths)
          throw refused(`it has more than ${maxPaths} entries, with the directories they lie in`)
      }
    },
  }
}
