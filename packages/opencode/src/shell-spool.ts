import { constants } from 'node:fs'
import { chmod, lchown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openInSpool, readInSpool } from './spool-files.ts'

/** Where commands and their output are exchanged with the engine, which sees the same directory. */
export interface ShellPlace {
  /** Directory of this session's commands, as we see it; outside of the workspace. */
  directory: string
  /** The same, as a command that runs in the workspace reaches it. */
  fromWorkspace: string
  /** Entry "NAME=value" of the environment that marks what the session's commands start. */
  mark: string
  /** Whom the files of a command are given to, when the engine does not run as our user. */
  owner?: { uid: number; gid: number }
}

export type CommandEnd = { kind: 'exited'; code: number } | { kind: 'killed' }

/** The files of one command. */
export interface ShellSpool {
  /** What it has written so far; the caller closes it. */
  open(name: 'stdout' | 'stderr'): Promise<FileHandle>
  /** What the engine is to run: short and plain, whatever the command is. */
  readonly start: string
  /** Ends by force what the command started, where the engine is. */
  readonly kill: string
  prepare(command: string): Promise<void>
  /** Settles when the engine has begun to run it. */
  started(signal: AbortSignal): Promise<void>
  exists(): Promise<boolean>
  /** How many processes `kill` has ended. */
  killed(): Promise<number>
  /** Undefined while the command goes on. */
  end(): Promise<CommandEnd | undefined>
  remove(): Promise<void>
}

const SCRIPTS = ['run-command.sh', 'kill-command.sh'] as const
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const POLL_MS = 10

export function createShellSpool(place: ShellPlace, runId: string): ShellSpool {
  if (!NAME.test(runId)) throw new TypeError(`the run id "${runId}" cannot name a directory`)
  const directory = path.join(place.directory, runId)
  const inSpool = (name: string): string => path.join(directory, name)
  const readIfThere = (name: string): Promise<string | undefined> => readInSpool(directory, name)
  const asCommand = (script: string): string => `bash '${path.posix.join(place.fromWorkspace, runId, script)}'`

  return {
    open: (name) => openInSpool(directory, name, constants.O_RDWR),
    start: asCommand(SCRIPTS[0]),
    kill: asCommand(SCRIPTS[1]),
    async prepare(command) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      for (const name of SCRIPTS) {
        const script = await readFile(fileURLToPath(new URL(`../scripts/${name}`, import.meta.url)))
        await writeFile(inSpool(name), script)
        await chmod(inSpool(name), 0o700)
      }
      await writeFile(inSpool('mark'), place.mark)
      await writeFile(inSpool('stdout'), '')
      await writeFile(inSpool('stderr'), '')
      await writeFile(inSpool('command.sh'), command)
      if (place.owner) await giveAway(directory, place.owner)
    },
    async started(signal) {
      while ((await readIfThere('started')) === undefined) await sleep(POLL_MS, undefined, { signal })
    },
    exists: async () => (await readIfThere('mark')) !== undefined,
    async killed() {
      const pids = (await readIfThere('killed'))?.split('\n') ?? []
      return new Set(pids.filter((pid) => pid !== '')).size
    },
    async end() {
      const text = await readIfThere('exit')
      if (text === undefined) return undefined
      return text === 'killed' ? { kind: 'killed' } : { kind: 'exited', code: Number(text) }
    },
    remove: () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  }
}

/** The directory last: nobody can put anything else into it before. Only root can give away. */
async function giveAway(directory: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  if (process.getuid?.() !== 0) return
  for (const name of await readdir(directory)) await lchown(path.join(directory, name), uid, gid)
  await lchown(directory, uid, gid)
}
