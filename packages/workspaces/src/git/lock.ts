import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { withSignal } from '@opencode-gateway/contracts'

const POLL_MS = 100

/** One at a time per name: within this process by a chain of promises, among processes by a file. */
export interface Locks {
  with<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

export function createLocks(directory: string): Locks {
  const tails = new Map<string, Promise<unknown>>()
  return {
    async with(name, signal, work) {
      const before = tails.get(name) ?? Promise.resolve()
      const mine = (async () => {
        await withSignal(before, signal)
        const file = path.join(directory, `${name}.lock`)
        await acquire(file, signal)
        try {
          return await work()
        } finally {
          await rm(file, { force: true })
        }
      })()
      // Whoever comes next waits for the end of all before, also where one in between did not wait for its turn.
      const tail = Promise.allSettled([before, mine])
      tails.set(name, tail)
      void tail.then(() => {
        if (tails.get(name) === tail) tails.delete(name)
      })
      return await mine
    },
  }
}

async function acquire(file: string, signal: AbortSignal): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const own = `${process.pid} ${(await startOf(process.pid)) ?? ''}`
  // By a link, so that a lock is never seen without its owner.
  const draft = `${file}.${process.pid}`
  await writeFile(draft, own, { mode: 0o600 })
  try {
    for (;;) {
      try {
        await link(draft, file)
        return
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
      if (await isStale(file)) await rm(file, { force: true })
      else await delay(POLL_MS, undefined, { signal })
    }
  } finally {
    await rm(draft, { force: true })
  }
}

/** One of this very process is stale as well: who holds a lock here is known by its chain. */
async function isStale(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const [pid = '', start = ''] = text.split(' ')
  if (!/^\d+$/.test(pid)) return true
  if (Number(pid) === process.pid) return true
  const running = await startOf(Number(pid))
  return running === undefined || running !== start
}

/** When a process began, in ticks since the machine did: tells it from a later one with the same number. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}
