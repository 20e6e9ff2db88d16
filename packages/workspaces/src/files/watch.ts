import { setTimeout as pause } from 'node:timers/promises'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FileChange } from '@opencode-gateway/contracts'
import type { Tree } from './directory.ts'
import { lookAt } from './entry.ts'
import { isBeyondPaths, isGone } from './list.ts'
import { parsePath, placeOf } from './path.ts'
import { watchDirectories } from './watched-directories.ts'
import type { WatchedDirectories, WatchLimits } from './watched-directories.ts'

export interface WatchOptions extends WatchLimits {
  /** How long changes are gathered before they are told, milliseconds. */
  delayMs: number
  /** Paths that wait to be told; beyond it the workspace as a whole is said to have changed. */
  waiting: number
}

/** Told when more has changed than can be told: the tree is to be read again. */
const EVERYTHING: FileChange = { path: '', change: 'modified' }

/** Ends with the signal, and when the workspace is gone. */
export async function* watchFiles(
  tree: Tree,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly FileChange[]> {
  // Told once nothing is missed any more, so that the tree that is read then is whole.
  for (let first: readonly FileChange[] = []; !signal.aborted; first = [EVERYTHING]) {
    const ended = yield* watchUntilFlooded(tree, { ...options, first }, signal)
    if (ended) return
  }
}

/** True when there is nothing more to watch; false when more changed at once than was kept. */
async function* watchUntilFlooded(
  tree: Tree,
  options: WatchOptions & { first: readonly FileChange[] },
  signal: AbortSignal,
): AsyncGenerator<readonly FileChange[], boolean> {
  const waiting = new Set<string>()
  let flooded = false
  let bell = Promise.withResolvers<void>()
  const ring = () => bell.resolve()
  signal.addEventListener('abort', ring)
  try {
    using watched = watchDirectories(tree, options, (path) => {
      if (waiting.size < options.waiting) waiting.add(path)
      else flooded = true
      ring()
    })
    let toldFull = false
    await watched.add('', signal)
    yield options.first
    for (;;) {
      if (watched.full && !toldFull) yield [EVERYTHING]
      toldFull = watched.full
      await bell.promise
      await pause(options.delayMs, undefined, { signal })
      bell = Promise.withResolvers<void>()
      if (flooded) return false
      const paths = [...waiting].sort()
      waiting.clear()
      const changes = await changesOf(tree, watched, paths, signal)
      if (changes.length > 0) yield changes
    }
  } catch (error) {
    if (signal.aborted) return true
    if (error instanceof GatewayError && error.code === 'WORKSPACE_NOT_FOUND') return true
    throw error
  } finally {
    signal.removeEventListener('abort', ring)
  }
}

async function changesOf(
  tree: Tree,
  watched: WatchedDirectories,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<FileChange[]> {
  const changes = new Map<string, FileChange>()
  const tell = (change: FileChange['change']) => (path: string) => void changes.set(path, { path, change })
  const there: { path: string; directory: boolean }[] = []
  // What is gone first: a directory that was moved is watched under its former path until then.
  for (const path of paths) {
    const kind = await kindAt(tree, path)
    if (kind !== 'nothing') there.push({ path, directory: kind === 'directory' })
    else watched.forget(path).forEach(tell('deleted'))
  }
  for (const { path, directory } of there) {
    if (directory) (await watched.add(path, signal)).forEach(tell('created'))
    else tell(watched.note(path) ? 'created' : 'modified')(path)
  }
  return [...changes.values()]
}

async function kindAt(tree: Tree, path: string): Promise<'nothing' | 'directory' | 'file'> {
  try {
    const place = placeOf(parsePath(path))
    if (place === undefined) return 'directory'
    await using directory = await tree.open(place.above)
    const stats = await lookAt(directory, place.name)
    if (stats === undefined) return 'nothing'
    return stats.isDirectory() ? 'directory' : 'file'
  } catch (error) {
    if (isGone(error) || isBeyondPaths(error)) return 'nothing'
    throw error
  }
}
