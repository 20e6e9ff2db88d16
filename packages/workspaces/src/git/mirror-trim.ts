import { readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'
import type { Drafts } from './drafts.ts'
import type { Locks } from './lock.ts'
import type { Uses } from './uses.ts'

export interface MirrorLimits {
  /** Of all copies together; what is in use may exceed it. */
  maxBytes: number
  /** How long one is kept that nobody uses, milliseconds. */
  maxAgeMs: number
}

interface Entry {
  directory: string
  bytes: number
  usedAt: number
}

/** Its time stands for the last use. */
const MARK = 'HEAD'

export async function markUsed(directory: string): Promise<void> {
  const now = new Date()
  await utimes(path.join(directory, MARK), now, now)
}

export async function trimMirrors(
  {
    root,
    locks,
    uses,
    drafts,
    limits,
  }: { root: string; locks: Locks; uses: Uses; drafts: Drafts; limits: MirrorLimits },
  signal: AbortSignal,
): Promise<void> {
  const entries = await entriesIn(root)
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  for (const entry of entries.toSorted((a, b) => a.usedAt - b.usedAt)) {
    const isOld = entry.usedAt < Date.now() - limits.maxAgeMs
    // Whoever uses it may hold its lock for long.
    if ((bytes <= limits.maxBytes && !isOld) || uses.isUsed(entry.directory)) continue
    const isRemoved = await locks.with(path.basename(entry.directory), signal, async () => {
      return await uses.remove(entry.directory, async () => await removeWhole(drafts.next(), entry.directory))
    })
    if (isRemoved) bytes -= entry.bytes
  }
}

/** By another name first: half of a copy must not be taken for one. */
async function removeWhole(away: string, directory: string): Promise<void> {
  try {
    await rename(directory, away)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  await rm(away, { recursive: true, force: true, maxRetries: 3 })
}

async function entriesIn(root: string): Promise<readonly Entry[]> {
  const names = await readdir(root).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  const entries: Entry[] = []
  for (const name of names.filter((name) => name.endsWith('.git'))) {
    const directory = path.join(root, name)
    try {
      const { mtimeMs } = await stat(path.join(directory, MARK))
      entries.push({ directory, bytes: await packBytes(directory), usedAt: mtimeMs })
    } catch (error) {
      // Another trim has taken it away meanwhile.
      if (!isMissing(error)) throw error
    }
  }
  return entries
}

export async function packsOf(directory: string): Promise<readonly string[]> {
  const folder = path.join(directory, 'objects', 'pack')
  return (await readdir(folder)).filter((name) => name.endsWith('.pack')).map((name) => path.join(folder, name))
}

export async function packBytes(directory: string): Promise<number> {
  let bytes = 0
  for (const file of await packsOf(directory)) bytes += (await stat(file)).size
  return bytes
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
