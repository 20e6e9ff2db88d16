import { constants } from 'node:fs'
import { access, lstat, mkdir, open, realpath, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { GatewayError } from '@opencode-gateway/contracts'
import { joined, quoted } from './path.ts'
import { fileError, systemCode } from './system-errors.ts'

/** A directory of a workspace that is held: whatever takes its place meanwhile is not what these paths lead to. */
export interface Directory extends AsyncDisposable {
  /** The directory for calls that take a path. */
  readonly self: string
  /** An entry of it for calls that take a path, and that do not follow a link in the last place. */
  at(name: string): string
  /** Throws LINK_DENIED when what the paths led to may have been something else. */
  confirm(): Promise<void>
  /** Settles when its entries are on the disk. */
  sync(): Promise<void>
}

/** Opens directories of a workspace; no link is followed on the way. */
export interface Tree {
  /** FILE_NOT_FOUND, NOT_A_DIRECTORY, LINK_DENIED, WORKSPACE_NOT_FOUND. `make`: makes what is not there. */
  open(names: readonly string[], how?: { make: boolean }): Promise<Directory>
  /** A directory of one that is held, which stays open. */
  enter(directory: Directory, name: string): Promise<Directory>
}

const DESCRIPTORS = '/proc/self/fd'
const FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Node has no `openat`; on Linux `/proc/self/fd/N/name` is the same: it begins at the directory that is open, wherever
 * that is by now. `handles: false`, and systems without `/proc`, look before and after instead; who puts a directory
 * back in between goes unnoticed there.
 */
export function createTree(root: string, { handles = true }: { handles?: boolean } = {}): Tree {
  let proc: Promise<boolean> | undefined

  async function hold(place: string): Promise<Directory> {
    const handle = await open(place, FLAGS)
    proc ??= handles
      ? access(DESCRIPTORS).then(
          () => true,
          () => false,
        )
      : Promise.resolve(false)
    return (await proc) ? byHandle(handle) : byPath(handle, place)
  }

  async function enter(directory: Directory, name: string, how: { path: string; make: boolean }): Promise<Directory> {
    const { path, make } = how
    const place = directory.at(name)
    const next = await hold(place)
      .catch(async (error: unknown) => {
        if (!make || systemCode(error) !== 'ENOENT') throw error
        await mkdir(place).catch(exceptWhenThere)
        return hold(place)
      })
      .catch(async (error: unknown) => {
        throw await refusal(error, place, path)
      })
    try {
      await directory.confirm()
      return next
    } catch (error) {
      await next[Symbol.asyncDispose]()
      throw error
    }
  }

  return {
    async open(names, { make } = { make: false }) {
      let directory = await hold(root).catch((error: unknown) => {
        throw rootError(error)
      })
      try {
        for (const [index, name] of names.entries()) {
          const next = await enter(directory, name, { path: joined(names.slice(0, index + 1)), make })
          await directory[Symbol.asyncDispose]()
          directory = next
        }
        return directory
      } catch (error) {
        await directory[Symbol.asyncDispose]()
        throw error
      }
    },
    enter: (directory, name) => enter(directory, name, { path: name, make: false }),
  }
}

function byHandle(handle: FileHandle): Directory {
  const self = `${DESCRIPTORS}/${handle.fd}`
  return {
    self,
    at: (name) => `${self}/${name}`,
    confirm: async () => {},
    sync: () => handle.sync(),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

function byPath(handle: FileHandle, self: string): Directory {
  return {
    self,
    at: (name) => path.join(self, name),
    async confirm() {
      const [held, there, real] = await Promise.all([
        handle.stat(),
        stat(self).catch(exceptWhenGone),
        realpath(self).catch(exceptWhenGone),
      ])
      if (held.ino === there?.ino && held.dev === there.dev && real === self) return
      throw new GatewayError('LINK_DENIED', 'A directory was replaced while it was in use.')
    },
    sync: () => handle.sync(),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** A link that is opened as a directory is said to be none. */
async function refusal(error: unknown, place: string, path: string): Promise<GatewayError> {
  if (!['ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return fileError(error, path)
  const found = await lstat(place).catch(() => undefined)
  if (found?.isSymbolicLink() === false) return fileError(error, path)
  return new GatewayError('LINK_DENIED', `${quoted(path)} is a link, and links are not followed.`)
}

function rootError(error: unknown): GatewayError {
  if (systemCode(error) === 'ENOENT')
    return new GatewayError('WORKSPACE_NOT_FOUND', 'The directory of the workspace is gone.', { cause: error })
  return new GatewayError('WORKSPACE_ERROR', 'The directory of the workspace cannot be opened.', { cause: error })
}

function exceptWhenGone(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) throw error
}

function exceptWhenThere(error: unknown): void {
  if (systemCode(error) !== 'EEXIST') throw error
}
