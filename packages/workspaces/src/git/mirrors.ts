import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { RemoteCall } from './environment.ts'
import { gitFailure } from './failure.ts'
import type { Locks } from './lock.ts'
import { parseProgress } from './progress.ts'
import type { Remote } from './remote.ts'
import type { GitRunner } from './runner.ts'

/**
 * Bare copies of remote repositories, one per URL. Who asks for one has just been told by the remote, with credentials
 * of their own, that they may read it: the copy itself is no way around that.
 */
export interface Mirrors {
  /** Where the copy of a remote is, whether there is one or not. */
  pathOf(remote: Remote): string
  /** A copy that has this commit at this branch; fetched unless it is so already. */
  refresh(call: RemoteCall, wanted: { branch: string; commit: string }, options: RefreshOptions): Promise<Mirror>
}

export interface Mirror {
  directory: string
  /** Head of the branch, which may have moved on since the remote was asked. */
  commit: string
}

export interface RefreshOptions {
  signal: AbortSignal
  maxBytes: number
  onPercent(percent: number): void
}

const REFSPECS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']
const MAX_PACKS = 40

export function createMirrors(root: string, git: GitRunner, locks: Locks): Mirrors {
  const pathOf = (remote: Remote): string =>
    path.join(root, `${createHash('sha256').update(remote.url).digest('hex')}.git`)

  async function branchOf(directory: string, branch: string, signal: AbortSignal): Promise<string | undefined> {
    const args = [`--git-dir=${directory}`, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`]
    const { exitCode, stdout } = await git.run(args, { signal })
    return exitCode === 0 ? stdout.toString('utf8').trim() : undefined
  }

  async function fetchInto(
    directory: string,
    call: RemoteCall,
    { signal, maxBytes, onPercent }: RefreshOptions,
  ): Promise<void> {
    const tooLarge = new AbortController()
    const onLine = (line: string): void => {
      const { percent, receivedBytes } = parseProgress(line)
      if (percent !== undefined) onPercent(percent)
      if (receivedBytes !== undefined && receivedBytes > maxBytes) tooLarge.abort(tooLargeError(call.remote, maxBytes))
    }
    const args = [`--git-dir=${directory}`, 'fetch', '--prune', '--no-tags', '--no-write-fetch-head', '--progress']
    const { exitCode, stderr } = await git.run([...args, '--', call.remote.url, ...REFSPECS], {
      signal: AbortSignal.any([signal, tooLarge.signal]),
      call,
      onLine,
    })
    if (exitCode !== 0) throw gitFailure('fetch', call.remote, call.credential, stderr)
    if ((await packBytes(directory)) > maxBytes) throw tooLargeError(call.remote, maxBytes)
    await git.read([`--git-dir=${directory}`, 'pack-refs', '--all'], { signal })
  }

  async function create(directory: string, call: RemoteCall, commit: string, options: RefreshOptions): Promise<void> {
    const draft = path.join(root, `draft-${randomUUID()}`)
    try {
      const format = commit.length === 64 ? 'sha256' : 'sha1'
      await git.read(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, '--', draft], options)
      await fetchInto(draft, call, options)
      await rename(draft, directory)
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  }

  return {
    pathOf,
    async refresh(call, { branch, commit }, options) {
      const directory = pathOf(call.remote)
      if ((await branchOf(directory, branch, options.signal)) === commit) return { directory, commit }
      return await locks.with(path.basename(directory), options.signal, async () => {
        await mkdir(root, { recursive: true, mode: 0o700 })
        // Whoever had the lock before may have fetched just that.
        if ((await branchOf(directory, branch, options.signal)) === commit) return { directory, commit }
        if (await isThere(directory)) {
          await removeDebris(directory)
          await fetchInto(directory, call, options)
          if ((await packsOf(directory)).length > MAX_PACKS) {
            await git.read([`--git-dir=${directory}`, 'repack', '-a', '-d', '-q'], options)
          }
        } else {
          await create(directory, call, commit, options)
        }
        const head = await branchOf(directory, branch, options.signal)
        if (head !== undefined) return { directory, commit: head }
        throw new ExecutorError(
          'BRANCH_NOT_FOUND',
          `the repository "${call.remote.url}" has no branch "${branch}" any more`,
        )
      })
    },
  }
}

export function tooLargeError(remote: Remote, maxBytes: number): ExecutorError {
  const text = `the repository "${remote.url}" is larger than ${maxBytes} bytes, which is the limit for a workspace`
  return new ExecutorError('WORKSPACE_FULL', text)
}

async function packsOf(directory: string): Promise<readonly string[]> {
  const folder = path.join(directory, 'objects', 'pack')
  return (await readdir(folder)).filter((name) => name.endsWith('.pack')).map((name) => path.join(folder, name))
}

async function packBytes(directory: string): Promise<number> {
  let bytes = 0
  for (const file of await packsOf(directory)) bytes += (await stat(file)).size
  return bytes
}

async function isThere(directory: string): Promise<boolean> {
  return await stat(directory).then(
    () => true,
    () => false,
  )
}

/** What a git that was killed left: its locks would stop the next one, its packs would stay for ever. */
async function removeDebris(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const isDebris = entry.name.endsWith('.lock') || /^(?:tmp_|\.tmp-|incoming-)/.test(entry.name)
    if (isDebris) await rm(path.join(entry.parentPath, entry.name), { recursive: true, force: true })
  }
}
