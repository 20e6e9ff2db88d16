import { rename, rm, symlink } from 'node:fs/promises'
import { GatewayError } from '@opencode-gateway/contracts'
import { refused, type Wanted } from './archive-entry.ts'
import type { Directory, Tree } from './directory.ts'
import { kindOf, lookAt } from './entry.ts'
import { joined, placeOf, quoted } from './path.ts'
import { fileError } from './system-errors.ts'

/** Something of an archive, with its content where it waits. */
export interface Staged {
  wanted: Wanted
  file?: string
}

/** Throws ARCHIVE_REFUSED or LINK_DENIED when something in the workspace is in the way. */
export async function requireRoom(tree: Tree, staged: readonly Staged[]): Promise<void> {
  await eachPlace(tree, staged, { make: false }, async ({ wanted }, directory, name) => {
    const stats = await lookAt(directory, name)
    if (stats === undefined || kindOf(stats) === wanted.kind) return
    throw refused(`${quoted(joined(wanted.names))} is a ${kindOf(stats)} in the workspace`)
  })
}

/** Puts what waits into the workspace; a file or link that is there gives way to one of its kind. */
export async function placeEntries(tree: Tree, staged: readonly Staged[]): Promise<void> {
  await eachPlace(tree, staged, { make: true }, async ({ wanted, file }, directory, name) => {
    if (wanted.kind === 'directory') {
      await using _made = await tree.open(wanted.names, { make: true })
    } else if (wanted.kind === 'link') {
      await rm(directory.at(name), { force: true })
      await symlink(wanted.target, directory.at(name))
    } else if (file !== undefined) {
      await rename(file, directory.at(name))
    }
  })
}

type Visit = (entry: Staged, directory: Directory, name: string) => Promise<void>

/** Entries of one directory mostly come together: it is opened once for them. */
async function eachPlace(tree: Tree, staged: readonly Staged[], how: { make: boolean }, visit: Visit): Promise<void> {
  let open: { path: string; directory: Directory } | undefined
  try {
    for (const entry of staged) {
      const place = placeOf(entry.wanted.names)
      if (place === undefined) continue
      const path = joined(place.above)
      if (open?.path !== path) {
        await open?.directory[Symbol.asyncDispose]()
        open = undefined
        const directory = await openPlace(tree, place.above, how)
        if (directory === undefined) continue
        open = { path, directory }
      }
      await open.directory.confirm()
      await visit(entry, open.directory, place.name).catch((error: unknown) => {
        throw fileError(error, joined(entry.wanted.names))
      })
    }
  } finally {
    await open?.directory[Symbol.asyncDispose]()
  }
}

/** Undefined when it is not there, and not to be made. */
async function openPlace(tree: Tree, names: readonly string[], how: { make: boolean }): Promise<Directory | undefined> {
  try {
    return await tree.open(names, how)
  } catch (error) {
    if (!how.make && error instanceof GatewayError && error.code === 'FILE_NOT_FOUND') return undefined
    throw error
  }
}
