import { setTimeout as sleep } from 'node:timers/promises'
import { noOrphans, type ProcessScene } from '../checks/no-orphans.ts'
import { processesWith } from './processes.ts'

const pauseMs = 100

/** The processes once none of them is an orphan, or after `withinMs`: what has been killed takes a moment to be gone. */
export async function lastProcesses(mark: string, roots: readonly number[], withinMs = 2_000): Promise<ProcessScene> {
  const limit = Date.now() + withinMs
  for (;;) {
    const scene = { processes: await processesWith(mark), roots }
    if (noOrphans.complaints(scene).length === 0 || Date.now() >= limit) return scene
    await sleep(pauseMs)
  }
}
