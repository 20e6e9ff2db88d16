import { lstat, mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { GatewayError, type FileDiff } from '@opencode-gateway/contracts'
import type { Comparison } from './compare.ts'
import { checkpointOf, checkpointsIn } from './checkpoints.ts'
import type { BareRepository } from './git.ts'
import { createLock } from './place-lock.ts'
import { listIn, snapshotRoot, WORK, type Place } from './place.ts'
import { SnapshotError } from './snapshot-error.ts'
import { gatewayError, runJob } from './thread.ts'
import { importTrees, listDifferences, withPatches, writePatch } from './tree-diff.ts'
import { leftOut, withheldRows } from './withheld.ts'

export interface SnapshotsOptions {
  /** Search path with `git` on it. */
  path: string
  limits: {
    /** Of each call. */
    timeoutMs: number
    /** A larger file is known by name and time alone: it is told, but neither shown nor put back. */
    maxFileBytes: number
    /** Paths in a workspace, what `.gitignore` hides not counted. 250 000 unless given. */
    maxFiles?: number
    /** Contents kept by one snapshot. 4 GiB unless given. */
    maxKeptBytes?: number
    /** Contents compared by one call, both sides. 512 MiB unless given. */
    maxComparedBytes?: number
  }
}

/**
 * What workspaces were, so that what changed can be told and undone. The engine is not asked, and nothing is left in the
 * workspace. All of it lies in `aside`; no git ever runs in the workspace or reads what an agent wrote as configuration.
 *
 * What counts is every file and link but those in `.git`, at any depth: the files of a nested repository count like all
 * others. What was there at the start counts whatever `.gitignore` says. What came later does not when `.gitignore`, as
 * it is now, hides it; but in directories that are not hidden a `.gitignore` itself counts, and a file that looks like a
 * secret. Empty
 * directories are put back, but no diff tells them. The state of git (HEAD, branches, index) is nobody's business here.
 *
 * Whoever holds `aside` and the agent's user are the same where nothing isolates them; contents are checked when read.
 */
export interface Snapshots {
  /** Records what a directory holds under a name; the first one is "start". One that is there stays as it is. */
  take(place: Place, name: string, signal: AbortSignal): Promise<void>
  has(place: Place, name: string): Promise<boolean>
  /**
   * Records what a directory holds after a run; costs little when that is what it held after the run before. Only the
   * `max` newest are kept, and none of them once what they alone hold is more than one snapshot may keep.
   */
  checkpoint(place: Place, runId: string, max: number, signal: AbortSignal): Promise<void>
  /** Name of the snapshot of what a run left. SNAPSHOT_NOT_FOUND. */
  checkpointOf(place: Place, runId: string): Promise<string>
  /**
   * What differs, by path; `from`: a snapshot, undefined stands for an empty directory. A file that is too large,
   * cannot be read, or looks like a secret (unless `secrets`) has no patch and is `truncated`; with `maxPatchBytes` 0
   * none has one. `truncated` of the whole: there may be more.
   */
  diff(
    place: Place,
    options: { from: string | undefined; limit: number; maxPatchBytes: number; secrets?: boolean },
    signal: AbortSignal,
  ): Promise<{ files: readonly FileDiff[]; truncated: boolean }>
  /**
   * The same as one patch that `git apply` takes. What has no patch is named in comments before it. The caller reads or
   * destroys the stream.
   */
  patch(place: Place, options: { from: string | undefined; secrets?: boolean }, signal: AbortSignal): Promise<Readable>
  /**
   * Makes the directory what it was: what came since is removed, ignored or not. When it was stopped half-way, another
   * call completes it. WORKSPACE_ERROR when something could not be put back, after all else was.
   */
  reset(place: Place, name: string | undefined, signal: AbortSignal): Promise<void>
}

const MEBIBYTE = 1024 * 1024

export function createSnapshots({ path: searchPath, limits }: SnapshotsOptions): Snapshots {
  const { timeoutMs, maxFileBytes, maxFiles = 250_000 } = limits
  const { maxKeptBytes = 4096 * MEBIBYTE, maxComparedBytes = 512 * MEBIBYTE } = limits
  const lock = createLock()

  /** One call at a time for each place, within the time limit. */
  async function alone<T>(
    place: Place,
    caller: AbortSignal,
    work: (root: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = AbortSignal.any([caller, timeout])
    const root = snapshotRoot(place)
    try {
      return await lock(root, signal, async () => {
        await mkdir(root, { recursive: true, mode: 0o700 })
        await removeLeftovers(root)
        return await work(root, signal)
      })
    } catch (error) {
      if (caller.aborted || error !== timeout.reason) throw asGatewayError(error)
      throw new GatewayError('WORKSPACE_ERROR', `The workspace was looked at for longer than ${timeoutMs} ms.`, {
        cause: error,
      })
    }
  }

  /** Has git know both sides of what differs, for as long as `use` takes. */
  async function compared<T>(
    { directory }: Place,
    { root, from, secrets = false }: { root: string; from: string | undefined; secrets: boolean | undefined },
    signal: AbortSignal,
    use: (repository: BareRepository, comparison: Comparison, work: string) => Promise<T>,
  ): Promise<T> {
    const work = await mkdtemp(path.join(root, WORK))
    try {
      const output = path.join(work, 'trees')
      const limits = { maxFileBytes, maxFiles, maxBytes: maxComparedBytes }
      const job = { kind: 'compare', directory, root, name: from, limits, secrets, output } as const
      const comparison = await runJob<'compare'>(job, signal)
      const repository = { searchPath, directory: path.join(work, 'repository') }
      await importTrees(repository, output, signal)
      await rm(output)
      return await use(repository, comparison, work)
    } finally {
      await rm(work, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  const has = async (place: Place, name: string): Promise<boolean> => await isThere(listIn(snapshotRoot(place), name))

  return {
    async has(place, name) {
      try {
        return await has(place, name)
      } catch (error) {
        throw asGatewayError(error)
      }
    },
    take: (place, name, signal) =>
      alone(place, signal, async (root, signal) => {
        if (await has(place, name)) return
        const limits = { maxFileBytes, maxFiles, maxBytes: maxKeptBytes }
        await runJob<'take'>({ kind: 'take', directory: place.directory, root, name, limits }, signal)
      }),
    checkpoint: (place, runId, max, signal) =>
      alone(place, signal, async (root, signal) => {
        const limits = { maxFileBytes, maxFiles, maxBytes: maxKeptBytes }
        await runJob<'checkpoint'>({ kind: 'checkpoint', directory: place.directory, root, runId, max, limits }, signal)
      }),
    async checkpointOf(place, runId) {
      const root = snapshotRoot(place)
      const name = (await isThere(root)) ? checkpointOf(checkpointsIn(root), runId) : undefined
      if (name !== undefined) return name
      throw new GatewayError(
        'SNAPSHOT_NOT_FOUND',
        `What the workspace was after run "${runId}" is not known: the run left nothing, or it is too long ago.`,
      )
    },
    diff: (place, { from, limit, maxPatchBytes, secrets }, signal) =>
      alone(place, signal, (root, signal) =>
        compared(place, { root, from, secrets }, signal, async (repository, comparison) => {
          const rows = await listDifferences(repository, signal)
          const shown = await withPatches(repository, rows.slice(0, limit), maxPatchBytes, signal)
          const files = [...shown, ...withheldRows(comparison)].toSorted(byPath)
          const truncated = comparison.truncated || rows.length > limit || files.length > limit
          return { files: files.slice(0, limit), truncated }
        }),
      ),
    patch: (place, { from, secrets }, signal) =>
      alone(place, signal, (root, signal) =>
        compared(place, { root, from, secrets }, signal, async (repository, comparison, work) => {
          const output = await open(path.join(work, 'patch'), 'wx+', 0o600)
          try {
            await output.write(leftOut(comparison))
            await writePatch(repository, output, signal)
            // Open, it outlives its name.
            return output.createReadStream({ start: 0 })
          } catch (error) {
            await output.close()
            throw error
          }
        }),
      ),
    reset: (place, name, signal) =>
      alone(place, signal, async (root, signal) => {
        const limits = { maxFileBytes, maxFiles, maxBytes: maxKeptBytes }
        await runJob<'reset'>({ kind: 'reset', directory: place.directory, root, name, limits }, signal)
      }),
  }
}

const asGatewayError = (error: unknown): unknown =>
  error instanceof SnapshotError ? gatewayError(error.failure) : error

const byPath = (a: FileDiff, b: FileDiff): number => (a.path < b.path ? -1 : 1)

async function removeLeftovers(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name.startsWith(WORK)) await rm(path.join(root, name), { recursive: true, force: true, maxRetries: 3 })
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
