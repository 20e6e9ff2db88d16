import { linkSync, lstatSync, renameSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FileStat } from '@opencode-gateway/contracts'
import type { Directory, Tree } from './directory.ts'
import { kindOf, lookAt, tagOf } from './entry.ts'
import { joined, parsePath, placeOf, quoted } from './path.ts'
import { requireNoGit, requireNoSecret } from './protected-names.ts'
import { statFile } from './read.ts'
import { stageFile } from './staged-file.ts'
import type { FileOwner } from './staged-file.ts'
import { fileError, systemCode } from './system-errors.ts'

const NEW_FILE_MODE = 0o644
const NEW_DIRECTORY_MODE = 0o755

export interface WriteOptions {
  maxBytes: number
  ifMatch?: string
  ifAbsent?: boolean
  secrets?: boolean
}

export async function writeFile(
  { tree, aside, owner }: { tree: Tree; aside: string; owner: FileOwner | undefined },
  path: string,
  content: Readable,
  options: WriteOptions,
  signal: AbortSignal,
): Promise<{ stat: FileStat; created: boolean }> {
  const names = parsePath(path)
  const place = placeOf(names)
  if (place === undefined) throw new GatewayError('NOT_A_FILE', 'The workspace itself is a directory.')
  requireNoGit(names)
  requireNoSecret(names, options.secrets)
  const at = joined(names)
  try {
    // What would be refused in the end is refused before it is sent.
    const before = await lookFrom(tree, place.above, place.name)
    requireMatch(before, options, at)
    addAbortSignal(signal, content)
    await using staged = await stageFile(aside, content, {
      owner,
      mode: before === undefined ? NEW_FILE_MODE : Number(before.mode) & 0o777,
      onBytes(bytes) {
        if (bytes <= options.maxBytes) return
        throw new GatewayError('PAYLOAD_TOO_LARGE', `${quoted(at)} would have more than ${options.maxBytes} bytes.`)
      },
    })
    signal.throwIfAborted()
    await using directory = await tree.open(place.above, { make: true })
    await directory.confirm()
    const created = putInPlace(staged.path, directory.at(place.name), options, at)
    await directory.sync()
    return { stat: await statFile(tree, at), created }
  } catch (error) {
    signal.throwIfAborted()
    throw fileError(error, at)
  }
}

/** Without a pause between the look and the change: of two writers that expect the same file one is refused. */
function putInPlace(staged: string, target: string, options: WriteOptions, at: string): boolean {
  const now = lstatSync(target, { bigint: true, throwIfNoEntry: false })
  requireMatch(now, options, at)
  if (options.ifAbsent === true) linkSync(staged, target)
  else renameSync(staged, target)
  return now === undefined
}

/** Throws unless the file may be written as it is. */
function requireMatch(stats: BigIntStats | undefined, { ifMatch, ifAbsent }: WriteOptions, at: string): void {
  if (stats?.isSymbolicLink())
    throw new GatewayError('LINK_DENIED', `${quoted(at)} is a link: it is not written through.`)
  if (stats !== undefined && !stats.isFile())
    throw new GatewayError('NOT_A_FILE', `${quoted(at)} is a ${kindOf(stats)}.`)
  const matches = ifMatch === undefined || (stats !== undefined && (ifMatch === '*' || ifMatch === tagOf(stats)))
  if (matches && !(ifAbsent === true && stats !== undefined)) return
  const text = stats === undefined ? 'is not there' : 'is there, and not as expected'
  throw new GatewayError('PRECONDITION_FAILED', `${quoted(at)} ${text}. Read it again.`)
}

async function lookFrom(tree: Tree, above: readonly string[], name: string): Promise<BigIntStats | undefined> {
  try {
    await using directory = await tree.open(above)
    return await lookAt(directory, name)
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'FILE_NOT_FOUND') return undefined
    throw error
  }
}

export async function makeDirectory(tree: Tree, path: string): Promise<boolean> {
  const names = parsePath(path)
  const place = placeOf(names)
  if (place === undefined) return false
  requireNoGit(names)
  try {
    await using directory = await tree.open(place.above, { make: true })
    try {
      await mkdir(directory.at(place.name), { mode: NEW_DIRECTORY_MODE })
      return true
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    return await isThere(directory, place.name, joined(names))
  } catch (error) {
    throw fileError(error, joined(names))
  }
}

/** False for a directory, which is there already. */
async function isThere(directory: Directory, name: string, at: string): Promise<false> {
  const stats = await lookAt(directory, name)
  if (stats?.isDirectory()) return false
  if (stats?.isSymbolicLink()) throw new GatewayError('LINK_DENIED', `${quoted(at)} is a link.`)
  throw new GatewayError('FILE_EXISTS', `${quoted(at)} is there already, and no directory.`)
}
