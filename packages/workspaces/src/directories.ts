import { mkdir, realpath, rename } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'
import { exists } from './exists.ts'
import { createMarks } from './marks.ts'
import { removeTree } from './remove-tree.ts'

/** The directories of our sessions below one root. */
export interface Directories {
  /** Makes the root and refuses one in which the engine would take something above it for the project. */
  prepare(): Promise<void>
  pathOf(sessionId: string): string
  /** Makes the directory of a session, or finds the one it had. Refuses one that is not ours. */
  create(sessionId: string): Promise<string>
  /** Makes an empty directory of ours the session's, by its name. Throws when the session has one. */
  adopt(sessionId: string, directory: string): Promise<void>
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
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** What is ours is known by its mark (see `createMarks`); what has none is never touched. */
export function createDirectories(root: string): Directories {
  const checked = (name: string): string => {
    if (NAME.test(name)) return name
    throw new ExecutorError('WORKSPACE_ERROR', `"${name}" cannot name a directory`, { retryable: false })
  }
  const pathOf = (sessionId: string): string => path.join(root, checked(sessionId))
  const beside = (sessionId: string, area: Area): string => path.join(root, `.${area}`, checked(sessionId))
  const marks = createMarks(path.join(root, '.sessions'))

  return {
    pathOf,
    beside,
    async prepare() {
      await marks.prepare()
      for (const area of AREAS) await mkdir(path.join(root, `.${area}`), { recursive: true, mode: 0o700 })
      await refuseProjectAbove(await realpath(root))
    },
    async create(sessionId) {
      const directory = pathOf(sessionId)
      try {
        if (!(await marks.has(sessionId))) await marks.make(sessionId, directory)
        // An agent's command may have removed it: it is the engine's user who owns both.
        await mkdir(directory, { mode: 0o700, recursive: true })
        return await realpath(directory)
      } catch (error) {
        const message = `the workspace "${directory}" could not be made: ${error instanceof Error ? error.message : String(error)}`
        throw new ExecutorError('WORKSPACE_ERROR', message, { cause: error })
      }
    },
    async adopt(sessionId, directory) {
      if (await marks.has(sessionId)) {
        throw new ExecutorError('WORKSPACE_ERROR', `the session "${sessionId}" has a workspace`, { retryable: false })
      }
      await marks.make(sessionId, pathOf(sessionId))
      // In the place of the empty one; should something be in that by now, it stays.
      await rename(directory, pathOf(sessionId))
    },
    async find(sessionId) {
      const directory = pathOf(sessionId)
      if (!(await marks.has(sessionId)) || !(await exists(directory))) return undefined
      return await realpath(directory)
    },
    async remove(sessionId) {
      for (const area of AREAS) await removeTree(beside(sessionId, area))
      await marks.remove(sessionId, pathOf(sessionId))
    },
    list: async () => (await marks.list()).filter((name) => NAME.test(name)),
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
