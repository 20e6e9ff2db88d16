import { linkSync, readdirSync, rmSync } from 'node:fs'
import type { ContentFile } from './content-file.ts'
import type { Entry, Snapshot } from './entry.ts'
import { listIn } from './place.ts'

/** Snapshots of what runs left, by name: the order of the names is that of the runs. */
const CHECKPOINT = /^run-(\d{9})-(.+)\.list$/

/** Names of the checkpoints there are, the oldest first. */
export function checkpointsIn(root: string): readonly string[] {
  return readdirSync(root)
    .filter((file) => CHECKPOINT.test(file))
    .toSorted()
    .map((file) => file.slice(0, -'.list'.length))
}

/** Name of the checkpoint of a run, or undefined. */
export function checkpointOf(names: readonly string[], runId: string): string | undefined {
  return names.find((name) => CHECKPOINT.exec(`${name}.list`)?.[2] === runId)
}

export function nextCheckpoint(names: readonly string[], runId: string): string {
  const last = Number(CHECKPOINT.exec(`${names.at(-1)}.list`)?.[1] ?? 0)
  return `run-${String(last + 1).padStart(9, '0')}-${runId}`
}

/** Keeps the newest. */
export function forgetOld(root: string, max: number): void {
  for (const name of checkpointsIn(root).slice(0, -max)) rmSync(listIn(root, name))
}

/** Another name for a snapshot, which costs nothing. */
export function alias(root: string, from: string, to: string): void {
  linkSync(listIn(root, from), listIn(root, to))
}

/**
 * Contents are only ever appended. When those of all checkpoints are too many, the checkpoints are given up, and what
 * comes behind the contents of the start is free again. False when there was room.
 */
export function giveUpCheckpoints(root: string, start: Snapshot, contents: ContentFile, maxBytes: number): boolean {
  let end = 0
  for (const entry of start.entries.values()) end = Math.max(end, endOf(entry))
  if (contents.size() - end <= maxBytes) return false
  for (const name of checkpointsIn(root)) rmSync(listIn(root, name))
  contents.truncate(end)
  return true
}

const endOf = (entry: Entry): number => ('offset' in entry ? entry.offset + entry.length : 0)

/** Whether two snapshots hold the same; of what is opaque nobody knows. */
export function holdSame(a: Snapshot, b: Snapshot): boolean {
  if (a.truncated || b.truncated || a.entries.size !== b.entries.size) return false
  for (const [path, entry] of a.entries) if (!isSame(entry, b.entries.get(path))) return false
  return true
}

function isSame(a: Entry, b: Entry | undefined): boolean {
  if (a.kind !== b?.kind) return false
  if (a.kind === 'opaque') return b.kind === 'opaque' && a.tag !== '' && a.tag === b.tag
  if (!('hash' in a) || !('hash' in b)) return true
  return a.hash === b.hash && (a.kind !== 'file' || b.kind !== 'file' || a.executable === b.executable)
}
