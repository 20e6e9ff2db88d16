import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessFacts } from '../facts.ts'

/** Processes that have the text in their environment, their arguments or their working directory. */
export async function processesWith(text: string): Promise<readonly ProcessFacts[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  const parents = new Map<number, number>()
  const found: { pid: number; command: string }[] = []
  for (const pid of pids) {
    const parent = await parentOf(pid)
    if (parent === undefined) continue
    parents.set(pid, parent)
    const [environment, command, directory] = await Promise.all([
      readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''),
      readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
    ])
    if (![environment, command, directory].some((place) => place.includes(text))) continue
    found.push({ pid, command: command.replaceAll('\0', ' ').trim().slice(0, 200) })
  }
  return found.map((one) => ({ ...one, ancestors: ancestorsOf(one.pid, parents) }))
}

/** Ends by force everything that has the text, until nothing of it is left. Only for texts that are the caller's own. */
export async function killAllWith(text: string, signal: AbortSignal): Promise<void> {
  for (let found = await processesWith(text); found.length > 0; found = await processesWith(text)) {
    signal.throwIfAborted()
    for (const { pid } of found) killProcess(pid)
    await sleep(50)
  }
}

/** Ends a process by force; one that is gone already is fine. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Undefined when it has ended: what only waits for its parent to notice counts as that. */
async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined)
  // The name in parentheses may hold anything, parentheses included.
  const [state, parent] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return state === undefined || state === 'Z' || state === 'X' ? undefined : Number(parent)
}

function ancestorsOf(pid: number, parents: ReadonlyMap<number, number>): readonly number[] {
  const ancestors: number[] = []
  for (let parent = parents.get(pid); parent !== undefined && parent > 0; parent = parents.get(parent)) {
    ancestors.push(parent)
  }
  return ancestors
}
