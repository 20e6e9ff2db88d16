import { isUtf8 } from 'node:buffer'
import { opendir } from 'node:fs/promises'
import { basename } from 'node:path/posix'
import { GatewayError } from '@opencode-gateway/contracts'
import type { FileEntry } from '@opencode-gateway/contracts'
import type { Directory, Tree } from './directory.ts'
import { entryOf, lookAt } from './entry.ts'
import { below, joined, parsePath } from './path.ts'
import { isGit } from './protected-names.ts'
import { fileError } from './system-errors.ts'

/** Entries that are looked at together. */
const BATCH = 64

/**
 * What one directory holds, some entries at a time however many there are; what vanishes meanwhile is left out. So is
 * what no text can name, of which `onUnnamed` is told.
 */
export async function* entriesOf(
  directory: Directory,
  path: string,
  onUnnamed: () => void = () => {},
): AsyncGenerator<readonly FileEntry[]> {
  const names = await opendir(directory.self, { bufferSize: BATCH, encoding: 'latin1' })
  await directory.confirm().catch(async (error: unknown) => {
    await names.close()
    throw error
  })
  let batch: string[] = []
  for await (const { name: bytes } of names) {
    const name = textOf(bytes)
    if (name === undefined) onUnnamed()
    if (name === undefined || batch.push(name) < BATCH) continue
    yield await look(directory, path, batch)
    batch = []
  }
  if (batch.length > 0) yield await look(directory, path, batch)
}

/** A name as it was read, a character for each byte, as text; undefined when it is not UTF-8. */
export function textOf(name: string): string | undefined {
  const bytes = Buffer.from(name, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : undefined
}

async function look(directory: Directory, path: string, names: readonly string[]): Promise<FileEntry[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      const stats = await lookAt(directory, name)
      return stats && entryOf(below(path, name), stats)
    }),
  )
  await directory.confirm()
  return found.filter((entry) => entry !== undefined)
}

/** Level by level, so that what a limit cuts off is what lies deepest; links and `.git` are named, not entered. */
export async function listFiles(
  tree: Tree,
  path: string,
  { depth, limit }: { depth: number; limit: number },
  signal: AbortSignal,
): Promise<{ entries: readonly FileEntry[]; truncated: boolean; unnamed: number }> {
  const entries: FileEntry[] = []
  let unnamed = 0
  const onUnnamed = (): void => void (unnamed += 1)
  let unseen = false
  const onUnseen = (): void => void (unseen = true)
  const sorted = (truncated: boolean) => ({ entries: entries.sort(byPath), truncated, unnamed })
  let level = [joined(parsePath(path))]
  for (let deep = 0; deep < depth && level.length > 0; deep++) {
    const next: string[] = []
    for (const at of level) {
      for await (const batch of entriesAt(tree, at, { must: deep === 0, onUnnamed, onUnseen })) {
        signal.throwIfAborted()
        for (const entry of batch) {
          if (entries.length === limit) return sorted(true)
          entries.push(entry)
          if (entry.kind === 'directory' && !isGit([basename(entry.path)])) next.push(entry.path)
        }
      }
    }
    level = next
  }
  return sorted(unseen)
}

/** `must`: it was asked for; else it may have gone, or become something else, since it was seen. */
async function* entriesAt(
  tree: Tree,
  path: string,
  { must, onUnnamed, onUnseen }: { must: boolean; onUnnamed: () => void; onUnseen: () => void },
): AsyncGenerator<readonly FileEntry[]> {
  try {
    await using directory = await tree.open(parsePath(path))
    yield* entriesOf(directory, path, onUnnamed)
  } catch (error) {
    const failure = fileError(error, path)
    if (must || !(isGone(failure) || isBeyondPaths(failure))) throw failure
    if (isBeyondPaths(failure)) onUnseen()
  }
}

export const isGone = (error: unknown): boolean =>
  error instanceof GatewayError &&
  ['FILE_NOT_FOUND', 'NOT_A_DIRECTORY', 'LINK_DENIED', 'NOT_A_FILE'].includes(error.code)

/** An agent gives names that no path of a request has: longer or deeper ones, or with what other systems take for `..`. */
export const isBeyondPaths = (error: unknown): boolean =>
  error instanceof GatewayError &&
  ['INVALID_REQUEST', 'PARENT_DIRECTORY_DENIED', 'ABSOLUTE_PATH_DENIED'].includes(error.code)

const byPath = (one: FileEntry, other: FileEntry): number => (one.path < other.path ? -1 : 1)
