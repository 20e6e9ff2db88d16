import { lstat, mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'

/** The directories of our sessions below one root. */
export interface Directories {
  /** Makes the root and refuses one in which the engine would take something above it for the project. */
  prepare(): Promise<void>
  pathOf(sessionId: string): string
  /** Makes the directory of a session, or finds the one it had. Refuses one that is not ours. */
  create(sessionId: string): Promise<string>
  /** The directory of a session of ours, or undefined when it is gone. */
  find(sessionId: string): Promise<string | undefined>
  remove(sessionId: string): Promise<void>
  /** Session ids of the directories that are ours. */
  list(): Promise<readonly string[]>
  /** A directory of the session outside of its workspace, removed with it; nothing is made. */
  beside(sessionId: string, area: Area): string
}

/** `shell`: commands and their output, which the agent's user reads. `aside`: what the gateway knows of the workspace. */
export type Area = (typeof AREAS)[number]

const AREAS = ['shell', 'aside'] as const
const MARKS = '.sessions'
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/**
 * A mark per session lies beside the workspaces and not in them, where an agent could remove it; so what has no mark
 * is not ours and is never touched.
 */
export function createDirectories(root: string): Directories {
  const checked = (name: string): string => {
    if (NAME.test(name)) return name
    throw new ExecutorError('WORKSPACE_ERROR', `"${name}" cannot name a directory`, { retryable: false })
  }
  const pathOf = (sessionId: string): string => path.join(root, checked(sessionId))
  const beside = (sessionId: string, area: Area): string => path.join(root, `.${area}`, checked(sessionId))
  const markOf = (sessionId: string): string => path.join(root, MARKS, checked(sessionId))

  return {
    pathOf,
    beside,
    async prepare() {
      await mkdir(path.join(root, MARKS), { recursive: true, mode: 0o700 })
      for (const area of AREAS) await mkdir(path.join(root, `.${area}`), { recursive: true, mode: 0o700 })
      await refuseProjectAbove(await realpath(root))
    },
    async create(sessionId) {
      const directory = pathOf(sessionId)
      try {
        if (!(await exists(markOf(sessionId)))) {
          // An agent's command may have removed it: it is the engine's user who owns both.
          await mkdir(path.join(root, MARKS), { recursive: true, mode: 0o700 })
          await mkdir(directory, { mode: 0o700 })
          await writeFile(markOf(sessionId), '').catch(async (error: unknown) => {
            await rm(directory, { recursive: true, force: true })
            throw error
          })
        }
        await mkdir(directory, { mode: 0o700, recursive: true })
        return await realpath(directory)
      } catch (error) {
        const message = `the workspace "${directory}" could not be made: ${error instanceof Error ? error.message : String(error)}`
        throw new ExecutorError('WORKSPACE_ERROR', message, { cause: error })
      }
    },
    async find(sessionId) {
      const directory = pathOf(sessionId)
      if (!(await exists(markOf(sessionId))) || !(await exists(directory))) return undefined
      return await realpath(directory)
    },
    async remove(sessionId) {
      for (const area of AREAS) await rm(beside(sessionId, area), { recursive: true, force: true, maxRetries: 3 })
      await rm(pathOf(sessionId), { recursive: true, force: true, maxRetries: 3 })
      await rm(markOf(sessionId), { force: true })
    },
    async list() {
      return (await readdir(path.join(root, MARKS))).filter((name) => NAME.test(name))
    },
  }
}

/** The engine takes the nearest repository, and every AGENTS.md, above a workspace for part of the project. */
async function refuseProjectAbove(root: string): Promise<void> {
  for (let directory = root; ; directory = path.dirname(directory)) {
    for (const name of ['.git', 'AGENTS.md']) {
      if (!(await exists(path.join(directory, name)))) continue
      throw new ExecutorError(
        'EXECUTOR_UNAVAILABLE',
        `WORKSPACE_ROOT "${root}" lies below "${path.join(directory, name)}": the engine would take that for the project ` +
          'of every session; choose a directory outside of it',
        { retryable: false },
      )
    }
    if (directory === path.dirname(directory)) return
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
