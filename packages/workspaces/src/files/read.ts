import type { Readable } from 'node:stream'
import { GatewayError } from '@opencode-gateway/contracts'
import type { ByteRange, FileStat } from '@opencode-gateway/contracts'
import { contentOf, looksLikeText, openFile } from './content.ts'
import type { OpenFile } from './content.ts'
import type { Tree } from './directory.ts'
import { entryOf, lookAt, tagOf } from './entry.ts'
import { joined, parsePath, placeOf, quoted } from './path.ts'
import { requireNoSecret } from './protected-names.ts'
import { fileError } from './system-errors.ts'

export async function statFile(tree: Tree, path: string): Promise<FileStat> {
  const names = parsePath(path)
  const place = placeOf(names) ?? { above: [], name: '.' }
  await using directory = await tree.open(place.above)
  try {
    const stats = await lookAt(directory, place.name)
    if (stats === undefined) throw missing(joined(names))
    await directory.confirm()
    if (!stats.isFile()) return entryOf(joined(names), stats)
    return await statAt(directory, place.name, joined(names))
  } catch (error) {
    throw fileError(error, joined(names))
  }
}

async function statAt(...at: Parameters<typeof openFile>): Promise<FileStat> {
  const file = await openFile(...at)
  try {
    return await statOf(file, at[2])
  } finally {
    await file.handle.close()
  }
}

async function statOf({ handle, stats }: OpenFile, path: string): Promise<FileStat> {
  return { ...entryOf(path, stats), tag: tagOf(stats), text: await looksLikeText(handle) }
}

export async function readFile(
  tree: Tree,
  path: string,
  { range, secrets }: { range?: ByteRange; secrets?: boolean },
): Promise<{ stat: FileStat; content: Readable }> {
  const names = parsePath(path)
  const place = placeOf(names)
  if (place === undefined) throw new GatewayError('NOT_A_FILE', 'The workspace itself is a directory.')
  requireNoSecret(names, secrets)
  await using directory = await tree.open(place.above)
  const file = await openFile(directory, place.name, joined(names)).catch((error: unknown) => {
    throw fileError(error, joined(names))
  })
  try {
    const stat = await statOf(file, joined(names))
    const { start, end } = within(range ?? { start: 0, end: stat.size - 1 }, stat)
    return { stat, content: contentOf(file.handle, start, end - start + 1) }
  } catch (error) {
    await file.handle.close()
    throw fileError(error, joined(names))
  }
}

/** The part of a range that the file has. */
function within({ start, end }: ByteRange, { path, size }: FileStat): ByteRange {
  if (start === 0 && end === size - 1) return { start, end }
  if (Number.isSafeInteger(start) && start >= 0 && start < size && start <= end)
    return { start, end: Math.min(end, size - 1) }
  throw new GatewayError('RANGE_NOT_SATISFIABLE', `${quoted(path)} has ${size} bytes, not ${start} to ${end}.`)
}

export const missing = (path: string): GatewayError =>
  new GatewayError('FILE_NOT_FOUND', `${quoted(path)} is not there.`)
