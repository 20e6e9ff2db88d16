import { readdir, readFile, readlink } from 'node:fs/promises'

export interface SeenProcess {
  pid: number
  /** Its arguments, each ended by a NUL. */
  command: string
}

/** The processes that have this text in their environment, as Linux shows them. */
export async function processesWith(text: string): Promise<readonly SeenProcess[]> {
  return await findProcesses(async (entry) => (await readFile(`${entry}/environ`, 'utf8')).includes(text))
}

/** The processes that work in this directory or below it. */
export async function processesIn(directory: string): Promise<readonly SeenProcess[]> {
  return await findProcesses(async (entry) => `${await readlink(`${entry}/cwd`)}/`.startsWith(`${directory}/`))
}

/** Ends by force what has this text in its environment. */
export async function killProcessesWith(text: string): Promise<void> {
  for (const { pid } of await processesWith(text)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

/** One that has ended and waits for its parent has neither an environment nor a directory any more. */
async function findProcesses(accepts: (entry: string) => Promise<boolean>): Promise<readonly SeenProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const seen = await Promise.all(
    pids.map(async (pid) => {
      const isOne = pid !== process.pid && (await accepts(`/proc/${pid}`).catch(() => false))
      return isOne ? { pid, command: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') } : undefined
    }),
  )
  return seen.filter((process) => process !== undefined)
}
