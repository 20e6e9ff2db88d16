import { GatewayError } from '@opencode-gateway/contracts'

/** What a path may have; a Linux kernel takes no longer ones. */
export const pathLimits = { bytes: 4096, nameBytes: 255, names: 128 } as const

/** Characters of a path that an error shows. */
const SHOWN = 200
const ABSOLUTE = /^([\\/]|[a-z]:[\\/])/i

/**
 * The names of a path within a workspace; none for the workspace itself. ABSOLUTE_PATH_DENIED,
 * PARENT_DIRECTORY_DENIED, NULL_BYTE_DENIED, INVALID_REQUEST for one that is too long or not Unicode.
 */
export function parsePath(path: string): readonly string[] {
  if (path.includes('\0')) throw denied('NULL_BYTE_DENIED', path, 'has a NUL in it')
  if (ABSOLUTE.test(path)) throw denied('ABSOLUTE_PATH_DENIED', path, 'is absolute: paths begin at the workspace')
  // A backslash is part of a name here, but not where an archive may be unpacked.
  if (path.split(/[\\/]/).includes('..')) throw denied('PARENT_DIRECTORY_DENIED', path, 'has a ".." in it')
  if (!path.isWellFormed()) throw denied('INVALID_REQUEST', path, 'is not Unicode')
  if (Buffer.byteLength(path) > pathLimits.bytes) throw denied('INVALID_REQUEST', path, 'is longer than 4096 bytes')
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  if (names.length > pathLimits.names) throw denied('INVALID_REQUEST', path, 'has more than 128 names')
  if (names.some((name) => Buffer.byteLength(name) > pathLimits.nameBytes))
    throw denied('INVALID_REQUEST', path, 'has a name longer than 255 bytes')
  return names
}

export const joined = (names: readonly string[]): string => names.join('/')

/** Where something is that lies below a directory. */
export const below = (directory: string, name: string): string => (directory === '' ? name : `${directory}/${name}`)

/** The directory a path lies in and its name there; undefined for the workspace itself. */
export function placeOf(names: readonly string[]): { above: readonly string[]; name: string } | undefined {
  const name = names.at(-1)
  return name === undefined ? undefined : { above: names.slice(0, -1), name }
}

/** A path for people. */
export const quoted = (path: string): string => JSON.stringify(path.length > SHOWN ? `${path.slice(0, SHOWN)}…` : path)

function denied(code: ConstructorParameters<typeof GatewayError>[0], path: string, reason: string): GatewayError {
  return new GatewayError(code, `The path ${quoted(path)} ${reason}.`)
}
