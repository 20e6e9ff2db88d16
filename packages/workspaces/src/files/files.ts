import type { WorkspaceFiles } from '@opencode-gateway/contracts'
import { createTree } from './directory.ts'
import { listFiles } from './list.ts'
import { moveFile } from './move.ts'
import { readFile, statFile } from './read.ts'
import { removeFile } from './remove.ts'
import type { FileOwner } from './staged-file.ts'
import { watchFiles } from './watch.ts'
import type { WatchOptions } from './watch.ts'
import { makeDirectory, writeFile } from './write.ts'

export interface WorkspaceFilesOptions {
  /** A directory outside of the workspace, on the same file system, for what is not complete; made when needed. */
  aside: string
  /** Whom files that are written are given to, from the first moment they are seen; nobody unless given. */
  owner?: FileOwner
  watch?: Partial<WatchOptions>
  /** Hold directories by `/proc`, where there is one; only tests have a reason to say false. */
  handles?: boolean
}

const WATCH: WatchOptions = { delayMs: 50, waiting: 10_000, directories: 8000, files: 200_000 }

/** The files of a directory of this machine, whose path has no link in it. */
export function createWorkspaceFiles(root: string, options: WorkspaceFilesOptions): WorkspaceFiles {
  const tree = createTree(root, { handles: options.handles ?? true })
  const store = { tree, aside: options.aside, owner: options.owner }
  return {
    list: (path, bounds, signal) => listFiles(tree, path, bounds, signal),
    stat: (path) => statFile(tree, path),
    read: (path, how) => readFile(tree, path, how),
    write: (path, content, how, signal) => writeFile(store, path, content, how, signal),
    makeDirectory: (path) => makeDirectory(tree, path),
    remove: (path, how) => removeFile(tree, path, how),
    move: (from, to, how) => moveFile(tree, from, to, how),
    // Not every gateway is asked for an archive: what reads and writes them is loaded with the first one.
    archive: async (what, signal) => (await import('./archive.ts')).archiveFiles(tree, what, signal),
    unpack: async (archive, limits, signal) =>
      (await import('./unpack.ts')).unpackArchive(store, archive, limits, signal),
    watch: (signal) => watchFiles(tree, { ...WATCH, ...options.watch }, signal),
  }
}
