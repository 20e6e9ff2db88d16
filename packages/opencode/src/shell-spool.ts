import { constants } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { codeOf, makeSpool, openInSpool, readInSpool } from './spool-files.ts'
import type { SpoolFile } from './spool-files.ts'

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
  /** Removes what is in `directory` under a name, if anything is; follows no link that an agent puts in its way. */
  remove(name: string): Promise<void>
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
  const remove = (): Promise<void> => place.remove(runId)
  const readIfThere = (name: string): Promise<string | undefined> => readInSpool(directory, name)
  const asCommand = (script: string): string => `bash '${path.posix.join(place.fromWorkspace, runId, script)}'`

  return {
    open: (name) => openInSpool(directory, name, constants.O_RDWR),
    start: asCommand(SCRIPTS[0]),
    kill: asCommand(SCRIPTS[1]),
    async prepare(command) {
      const files: SpoolFile[] = [
        { name: 'mark', content: place.mark },
        { name: 'stdout', content: '' },
        { name: 'stderr', content: '' },
        { name: 'command.sh', content: command },
      ]
      for (const name of SCRIPTS) {
        const content = await readFile(fileURLToPath(new URL(`../scripts/${name}`, import.meta.url)))
        files.push({ name, content, mode: 0o700 })
      }
      // Only root can give away.
      const owner = process.getuid?.() === 0 ? place.owner : undefined
      await mkdir(place.directory, { recursive: true, mode: 0o700 })
      try {
        await makeSpool(directory, files, owner)
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
        // Of an earlier attempt, or made by an agent that knows the name.
        await remove()
        await makeSpool(directory, files, owner)
      }
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
    remove,
  }
}
