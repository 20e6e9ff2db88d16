import { randomUUID } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { chmod, opendir, rename, rmdir, unlink } from 'node:fs/promises'
import { GatewayError } from '@opencode-gateway/contracts'
import type { Directory, Tree } from './directory.ts'
import { lookAt } from './entry.ts'
import { textOf } from './list.ts'
import { joined, parsePath, placeOf } from './path.ts'
import { requireNoGit } from './protected-names.ts'
import { missing } from './read.ts'
import { fileError, systemCode } from './system-errors.ts'

/** Directories held open above one another. */
const MAX_HELD = 64
/** Times a directory is emptied that is deeper than that, or into which somebody goes on writing. */
const MAX_ROUNDS = 200

export interface RemoveOptions {
  recursive: boolean
  /** Directories that their owner may not write in go, too. A link that takes the place of one would be followed. */
  opening?: boolean
  /** Times a directory is emptied; 200 unless given. */
  maxRounds?: number
}

export async function removeFile(tree: Tree, path: string, options: RemoveOptions): Promise<void> {
  const names = parsePath(path)
  const place = placeOf(names)
  if (place === undefined) throw new GatewayError('FORBIDDEN', 'The workspace itself is removed with its session only.')
  requireNoGit(names)
  try {
    await using directory = await tree.open(place.above)
    const stats = await lookAt(directory, place.name)
    if (stats === undefined) throw missing(joined(names))
    await directory.confirm()
    if (!stats.isDirectory()) await unlink(directory.at(place.name))
    else if (options.recursive) {
      if (options.opening) await openUp(directory, place.name, stats)
      await removeDirectory(tree, directory, place.name, options)
    } else await rmdir(directory.at(place.name))
    await directory.sync()
  } catch (error) {
    throw fileError(error, joined(names))
  }
}

/** Every directory is emptied through its own handle, so that a link that takes its place is not followed. */
async function removeDirectory(
  tree: Tree,
  above: Directory,
  name: string,
  { opening = false, maxRounds = MAX_ROUNDS }: RemoveOptions,
): Promise<void> {
  for (let round = 1; ; round++) {
    {
      await using top = await tree.enter(above, name)
      await empty({ tree, top, opening }, top, 1)
    }
    try {
      return await rmdir(above.at(name))
    } catch (error) {
      if (systemCode(error) !== 'ENOTEMPTY' || round === maxRounds) throw error
    }
  }
}

interface Removal {
  tree: Tree
  top: Directory
  opening: boolean
}

async function empty(removal: Removal, directory: Directory, held: number): Promise<void> {
  for await (const entry of await opendir(directory.self, { encoding: 'latin1' })) {
    const name = textOf(entry.name) ?? (await renamed(directory, entry.name))
    const stats = await lookAt(directory, name)
    if (stats === undefined) continue
    if (removal.opening) await openUp(directory, name, stats)
    if (!stats.isDirectory()) await unlink(directory.at(name)).catch(exceptWhenGone)
    // What lies deeper is emptied in the next round.
    else if (held === MAX_HELD) await rename(directory.at(name), removal.top.at(randomUUID()))
    else await removeInner(removal, directory, name, held + 1)
  }
}

async function openUp(above: Directory, name: string, stats: BigIntStats): Promise<void> {
  if (stats.isDirectory() && (stats.mode & 0o700n) !== 0o700n) await chmod(above.at(name), 0o700)
}

/** A name that can be said, for what has none. */
async function renamed(directory: Directory, bytes: string): Promise<string> {
  const name = randomUUID()
  const from = Buffer.concat([Buffer.from(`${directory.self}/`), Buffer.from(bytes, 'latin1')])
  await rename(from, directory.at(name)).catch(exceptWhenGone)
  return name
}

async function removeInner(removal: Removal, above: Directory, name: string, held: number): Promise<void> {
  {
    await using inner = await removal.tree.enter(above, name)
    await empty(removal, inner, held)
  }
  await rmdir(above.at(name)).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOTEMPTY') exceptWhenGone(error)
  })
}

function exceptWhenGone(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error
}
