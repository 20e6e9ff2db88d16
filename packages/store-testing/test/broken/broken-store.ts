import type { ProviderStore, RunRow, Store, UsageLog } from '@opencode-gateway/contracts'
import type { Disk } from '../memory/disk.ts'

/** What is done worse than the sound store does it. */
export interface Defect extends Partial<Store & ProviderStore & UsageLog> {
  /** Called between the close and the next open. */
  whenReopened?(): void
  /** What is left after a crash; the disk as it is when absent. */
  leftByCrash?(): Disk
}

export interface BrokenStore {
  /** Begins with the name of the store: "a store that …" */
  readonly name: string
  /** A case that must fail. */
  readonly caughtBy: string
  make(store: Store & ProviderStore & UsageLog, disk: Disk): Defect
}

export function broken(name: string, caughtBy: string, make: BrokenStore['make']): BrokenStore {
  return { name, caughtBy, make }
}

/** Lets whatever else was started go first, as a store does that asks and then acts. */
export async function others(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** Does something to the run before the store sees the call. */
export function first(disk: Disk, runId: string, change: (run: RunRow) => Partial<RunRow>): void {
  const run = disk.runs.get(runId)
  if (run) Object.assign(run, change(run))
}

export async function forRun<T>(done: Promise<T>, disk: Disk, runId: string, change: (run: RunRow) => Partial<RunRow>) {
  const result = await done
  first(disk, runId, change)
  return result
}

export const epochOf = (disk: Disk, runId: string): number => disk.runs.get(runId)?.epoch ?? 0
