import { readlink } from 'node:fs/promises'
import { basename } from 'node:path/posix'
import { Readable, addAbortSignal } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FileEntry } from '@opencode-gateway/contracts'
import { pack } from 'tar-stream'
import type { Header, Pack } from 'tar-stream'
import { contentOf, openFile } from './content.ts'
import type { Directory, Tree } from './directory.ts'
import { entryOf, lookAt } from './entry.ts'
import { staysInside } from './links.ts'
import { entriesOf, isBeyondPaths, isGone } from './list.ts'
import { joined, parsePath, pathLimits, placeOf, quoted } from './path.ts'
import { isGit } from './protected-names.ts'
import { looksSecret } from './secret-names.ts'
import { statFile } from './read.ts'
import { fileError, systemCode } from './system-errors.ts'

/** A file this long, bytes, is read before its size is written down: the agent may make it shorter meanwhile. */
const AT_ONCE = 1_048_576

export interface ArchiveOptions {
  paths?: readonly string[]
  /** Leaves out a path that is not there, or that no path of ours can name. */
  ifThere?: boolean
  git: boolean
  secrets: boolean
}

/** What leads out of the workspace, is no file, or vanishes meanwhile is left out. FILE_NOT_FOUND for a given path. */
export async function archiveFiles(tree: Tree, options: ArchiveOptions, signal: AbortSignal): Promise<Readable> {
  const { paths = [''] } = options
  if (options.ifThere !== true) for (const path of paths) await statFile(tree, path)
  const tar = pack()
  const zipped = createGzip()
  addAbortSignal(signal, zipped)
  const packed = packAll(tree, tar, paths, { ...options, signal }).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error('the archive broke', { cause: error })),
  )
  // Whoever reads the archive sees the error there.
  Promise.all([pipeline(Readable.from(tar), zipped), packed]).catch((error: Error) => zipped.destroy(error))
  return zipped
}

type NamedHeader = Partial<Header> & { name: string }

interface Packing extends ArchiveOptions {
  signal: AbortSignal
}

async function packAll(tree: Tree, tar: Pack, paths: readonly string[], packing: Packing): Promise<void> {
  for (const path of paths) {
    try {
      await packPath(tree, tar, path, packing)
    } catch (error) {
      const failure = fileError(error, path)
      if (!isGone(failure) && !(packing.ifThere === true && isBeyondPaths(failure))) throw failure
    }
  }
}

async function packPath(tree: Tree, tar: Pack, path: string, packing: Packing): Promise<void> {
  const names = parsePath(path)
  const place = placeOf(names)
  if (place === undefined) {
    await using directory = await tree.open([])
    return await packDirectory(tree, tar, directory, { path: '', packing })
  }
  await using directory = await tree.open(place.above)
  const stats = await lookAt(directory, place.name)
  if (stats !== undefined) await packEntry(tree, tar, directory, { entry: entryOf(joined(names), stats), packing })
}

async function packDirectory(
  tree: Tree,
  tar: Pack,
  directory: Directory,
  { path, packing }: { path: string; packing: Packing },
): Promise<void> {
  if (path.split('/').length > pathLimits.names)
    throw new GatewayError('WORKSPACE_ERROR', `${quoted(path)} lies too deep for an archive.`, { retryable: false })
  for await (const batch of entriesOf(directory, path)) {
    for (const entry of batch) {
      packing.signal.throwIfAborted()
      await packEntry(tree, tar, directory, { entry, packing })
    }
  }
}

async function packEntry(
  tree: Tree,
  tar: Pack,
  directory: Directory,
  { entry, packing }: { entry: FileEntry; packing: Packing },
): Promise<void> {
  const name = basename(entry.path)
  const names = entry.path.split('/')
  if ((!packing.git && isGit(names)) || (!packing.secrets && looksSecret(names))) return
  const header = { name: entry.path, mode: entry.mode & 0o777, mtime: new Date(entry.modifiedAt) }
  try {
    if (entry.kind === 'directory') {
      await using inner = await tree.enter(directory, name)
      await add(tar, { ...header, name: `${entry.path}/`, type: 'directory' })
      await packDirectory(tree, tar, inner, { path: entry.path, packing })
    } else if (entry.kind === 'link') {
      const linkname = await linkTarget(directory, name)
      if (linkname !== undefined && staysInside(names, linkname))
        await add(tar, { ...header, type: 'symlink', linkname })
    } else if (entry.kind === 'file') {
      await packFile(tar, directory, header)
    }
  } catch (error) {
    const failure = fileError(error, entry.path)
    if (!isGone(failure) && !isBeyondPaths(failure)) throw failure
  }
}

/** Undefined when it is a link no longer. */
async function linkTarget(directory: Directory, name: string): Promise<string | undefined> {
  try {
    const target = await readlink(directory.at(name))
    await directory.confirm()
    return target
  } catch (error) {
    if (systemCode(error) === 'EINVAL') return undefined
    throw error
  }
}

async function packFile(tar: Pack, directory: Directory, header: NamedHeader): Promise<void> {
  const { handle, stats } = await openFile(directory, basename(header.name), header.name)
  const size = Number(stats.size)
  if (size > AT_ONCE)
    return pipeline(contentOf(handle, 0, size), (content) => add(tar, { ...header, type: 'file', size }, content))
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0).finally(() => handle.close())
  await add(tar, { ...header, type: 'file', size: bytesRead }, Readable.from([buffer.subarray(0, bytesRead)]))
}

async function add(tar: Pack, header: NamedHeader, content?: AsyncIterable<Buffer>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const sink = tar.entry(header, (error) => (error ? reject(error) : resolve()))
  if (content !== undefined) await pipeline(content, sink)
  await promise
}
