import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { ExecutorError } from '@opencode-gateway/contracts'

/**
 * A directory of somebody who may swap it for a link at any moment: held open, and everything in it named through the
 * open handle, so that no link on the way is ever followed.
 */
export interface HeldDirectory extends AsyncDisposable {
  /** The directory itself, whatever its name leads to by now. */
  readonly path: string
  /** A directory below, by one name after the other; undefined when there is none. Refuses a link. */
  enter(...names: readonly string[]): Promise<HeldDirectory | undefined>
  /** The same, made where it is not there. */
  make(...names: readonly string[]): Promise<HeldDirectory>
  names(): Promise<readonly string[]>
  /** The handle of a plain file; undefined when there is none. Refuses what is something else. */
  open(name: string): Promise<FileHandle | undefined>
  /** The text of a plain file. */
  read(name: string, maxBytes: number): Promise<string | undefined>
  /** Writes a file whole, in the place of whatever has the name. */
  replace(name: string, content: string | Buffer | Readable, mode: number): Promise<void>
}

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants

/** `root` is trusted; what lies below is not. */
export async function holdDirectory(root: string): Promise<HeldDirectory> {
  return held(await open(root, O_RDONLY | O_DIRECTORY), root)
}

function held(handle: FileHandle, shown: string): HeldDirectory {
  const here = `/proc/self/fd/${handle.fd}`
  const at = (name: string): string => {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new Error(`"${name}" is not a name`)
    return `${here}/${name}`
  }

  async function step(name: string): Promise<HeldDirectory | undefined> {
    try {
      return held(await open(at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path.join(shown, name))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw odd(path.join(shown, name), 'is not a directory', error)
    }
  }

  async function walk(names: readonly string[], create: boolean): Promise<HeldDirectory | undefined> {
    let current: HeldDirectory | undefined
    for (const name of names) {
      const from: HeldDirectory = current ?? self
      try {
        if (create) await mkdir(`${from.path}/${name}`, { mode: 0o755 }).catch(ignoreExisting)
        current = await (current === undefined ? step(name) : current.enter(name))
      } finally {
        if (from !== self) await from[Symbol.asyncDispose]()
      }
      if (current === undefined) return undefined
    }
    return current
  }

  const self: HeldDirectory = {
    path: here,
    enter: async (...names) => await walk(names, false),
    async make(...names) {
      const made = await walk(names, true)
      if (made === undefined) throw odd(path.join(shown, ...names), 'went away', undefined)
      return made
    },
    names: async () => await readdir(here),
    async open(name) {
      try {
        // Without O_NONBLOCK a pipe would be waited for.
        const file = await open(at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        if ((await file.stat()).isFile()) return file
        await file.close()
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined
        throw odd(path.join(shown, name), 'is not a plain file', error)
      }
      throw odd(path.join(shown, name), 'is not a plain file', undefined)
    },
    async read(name, maxBytes) {
      await using file = await self.open(name)
      if (file === undefined) return undefined
      if ((await file.stat()).size > maxBytes)
        throw odd(path.join(shown, name), `is larger than ${maxBytes} bytes`, undefined)
      return await file.readFile('utf8')
    },
    async replace(name, content, mode) {
      const draft = at(`${randomUUID()}.tmp`)
      try {
        const file = await open(draft, 'wx', mode)
        try {
          await file.writeFile(content)
        } finally {
          await file.close()
        }
        await rename(draft, at(name))
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
    [Symbol.asyncDispose]: async () => await handle.close(),
  }
  return self
}

function odd(shown: string, what: string, cause: unknown): ExecutorError {
  return new ExecutorError('WORKSPACE_ERROR', `"${shown}" ${what}`, { cause, retryable: false })
}

function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
