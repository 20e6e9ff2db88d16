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

/** What one directory holds, some entries at a time however many there are; what vanishes meanwhile is left out. */
export async function* entriesOf(directory: Directory, path: string): AsyncGenerator<readonly FileEntry[]> {
  const names = await opendir(directory.self, { bufferSize: BATCH })
  await directory.confirm().catch(async (error: unknown) => {
    await names.close()
    throw error
  })
  let batch: string[] = []
  for await (const { name } of names) {
    if (batch.push(name) < BATCH) continue
    yield await look(directory, path, batch)
    batch = []
  }
  if (batch.length > 0) yield await look(directory, path, batch)
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
): Promise<{ entries: readonly FileEntry[]; truncated: boolean }> {
  const entries: FileEntry[] = []
  const sorted = (truncated: boolean) => ({ entries: entries.sort(byPath), truncated })
  let level = [joined(parsePath(path))]
  for (let deep = 0; deep < depth && level.length > 0; deep++) {
    const next: string[] = []
    for (const at of level) {
      for await (const batch of entriesAt(tree, at, { must: deep === 0 })) {
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
  return sorted(false)
}

/** `must`: it was asked for; else it may have gone, or become something else, since it was seen. */
async function* entriesAt(tree: Tree, path: string, { must }: { must: boolean }): AsyncGenerator<readonly FileEntry[]> {
  try {
    await using directory = await tree.open(parsePath(path))
    yield* entriesOf(directory, path)
  } catch (error) {
    const failure = fileError(error, path)
    if (must || !isGone(failure)) throw failure
  }
}

export const isGone = (error: unknown): boolean =>
  error instanceof GatewayError &&
  ['FILE_NOT_FOUND', 'NOT_A_DIRECTORY', 'LINK_DENIED', 'NOT_A_FILE'].includes(error.code)

const byPath = (one: FileEntry, other: FileEntry): number => (one.path < other.path ? -1 : 1)
