import { readdirSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 20

/** True for an environment as `/proc` shows it: "NAME=value" entries, each ended by a NUL. */
type Accept = (environment: Buffer, pid: number) => boolean | Promise<boolean>

/** Processes whose environment holds the entry "NAME=value": an engine of ours, and what its agents started. */
export async function findMarked(entry: string): Promise<readonly number[]> {
  return await findProcesses((environment) => hasEntry(environment, entry))
}

/** Processes that we may look at and whose environment is accepted. Empty where there is no `/proc`. */
export async function findProcesses(accept: Accept): Promise<readonly number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    // A process may end while we look, and those of other users cannot be read: neither is ours.
    const environment = await readFile(`/proc/${pid}/environ`).catch(() => undefined)
    if (environment && (await accept(environment, pid))) found.push(pid)
  }
  return found
}

export function hasEntry(environment: Buffer, entry: string): boolean {
  const needle = Buffer.from(entry)
  let at = environment.indexOf(needle)
  while (at >= 0) {
    const startsEntry = at === 0 || environment[at - 1] === 0
    const after = at + needle.length
    if (startsEntry && (after === environment.length || environment[after] === 0)) return true
    at = environment.indexOf(needle, at + 1)
  }
  return false
}

/** Ends by force every process with the mark, those that appear meanwhile included. Returns how many were ended. */
export async function killMarked(entry: string, signal: AbortSignal): Promise<number> {
  const ended = new Set<number>()
  for (let pids = await findMarked(entry); pids.length > 0; pids = await findMarked(entry)) {
    for (const pid of pids) if (killProcess(pid)) ended.add(pid)
    await sleep(POLL_MS, undefined, { signal })
  }
  return ended.size
}

/** The same for a process that exits and can wait for nothing: what is there is ended, looked for once. Never throws. */
export function killMarkedNow(entry: string): void {
  for (const name of unlessGone(() => readdirSync('/proc')) ?? []) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const environment = unlessGone(() => readFileSync(`/proc/${pid}/environ`))
    if (environment && hasEntry(environment, entry)) unlessGone(() => killProcess(pid))
  }
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Ends a process by force; false when it is gone already. */
export function killProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}
