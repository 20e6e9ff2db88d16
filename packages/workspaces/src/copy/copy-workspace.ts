import { constants } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { GatewayError, type WorkspaceRepository } from '@opencode-gateway/contracts'
import type { Directories } from '../directories.ts'
import { ownBranch } from '../git/work-branch.ts'
import { contentsIn, listIn, snapshotRoot, START } from '../snapshot/place.ts'
import { runJob } from '../snapshot/thread.ts'
import { readStart, writeStart } from '../start-record.ts'

/** Paths in a workspace that is copied. */
const MAX_FILES = 250_000

export interface CopyDeps {
  directories: Directories
  maxBytes: number
}

/** A directory for a new session, with what another one's holds and with what is known of its start. */
export async function copyWorkspace(
  { directories, maxBytes }: CopyDeps,
  { from, to }: { from: string; to: string },
  signal: AbortSignal,
): Promise<string> {
  const source = await directories.find(from)
  if (source === undefined) {
    throw new GatewayError('WORKSPACE_NOT_FOUND', `Session "${from}" has no workspace that could be copied.`)
  }
  if ((await directories.find(to)) !== undefined) {
    throw new GatewayError('WORKSPACE_ERROR', `Session "${to}" has a workspace already.`, { retryable: false })
  }
  signal.throwIfAborted()
  const target = await directories.create(to)
  try {
    await copyTree(source, target, { maxBytes, what: 'The workspace' }, signal)
    await copyStart(directories.beside(from, 'aside'), directories.beside(to, 'aside'), (repository) =>
      ownBranch(repository, { from, to, directory: target }),
    )
    signal.throwIfAborted()
    return target
  } catch (error) {
    await directories.remove(to)
    throw error
  }
}

/**
 * Copies what a directory holds into an empty one, as it is: no link is followed, sockets and devices are left out.
 * WORKSPACE_FULL when there is too much of it. `what` as a sentence begins with it.
 */
export async function copyTree(
  from: string,
  to: string,
  { maxBytes, what }: { maxBytes: number; what: string },
  signal: AbortSignal,
): Promise<void> {
  await runJob<'copy'>({ kind: 'copy', from, to, limits: { maxBytes, maxFiles: MAX_FILES, what } }, signal)
}

/** What the runs of the other session left is not taken over: they are not runs of this one. */
async function copyStart(
  from: string,
  to: string,
  own: (repository: WorkspaceRepository) => Promise<WorkspaceRepository>,
): Promise<void> {
  const start = await readStart(from)
  if (start === undefined) return
  if (start.snapshot) {
    const rootIn = (aside: string): string => snapshotRoot({ directory: '', aside })
    await mkdir(rootIn(to), { recursive: true, mode: 0o700 })
    for (const file of [contentsIn, (root: string) => listIn(root, START)]) {
      await copyFile(file(rootIn(from)), file(rootIn(to)), constants.COPYFILE_FICLONE)
    }
  }
  const { repository } = start
  await writeStart(to, repository === undefined ? start : { ...start, repository: await own(repository) })
}
