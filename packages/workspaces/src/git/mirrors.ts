import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { Drafts } from './drafts.ts'
import type { RemoteCall } from './remote-call.ts'
import { gitFailure } from './failure.ts'
import type { Locks } from './lock.ts'
import { parseProgress } from './progress.ts'
import { markUsed, packBytes, packsOf, trimMirrors, type MirrorLimits } from './mirror-trim.ts'
import type { Remote } from './remote.ts'
import type { GitRunner } from './runner.ts'
import { createUses } from './uses.ts'

/**
 * Bare copies of remote repositories, one per URL. Who asks for one has just been told by the remote, with credentials
 * of their own, that they may read it: the copy itself is no way around that.
 */
export interface Mirrors {
  /** Where the copy of a remote is, whether there is one or not; it stays there until disposed. */
  hold(remote: Remote, depth?: number): Promise<{ directory: string } & Disposable>
  /** A copy that has this commit at this branch; fetched unless it is so already. */
  refresh(call: RemoteCall, wanted: WantedBranch, options: RefreshOptions): Promise<Mirror>
  /** Removes copies that nobody holds, those longest unused first, until the rest is within the limits. */
  trim(signal: AbortSignal): Promise<void>
}

export interface WantedBranch {
  branch: string
  commit: string
  /** Commits of history, of this branch alone; such a copy is one of its own. */
  depth?: number | undefined
  /** A commit that it must have besides, wherever. */
  contains?: string
}

/** Stays until disposed. */
export interface Mirror extends Disposable {
  directory: string
  /** Head of the branch, which may have moved on since the remote was asked. */
  commit: string
}

export interface RefreshOptions {
  signal: AbortSignal
  maxBytes: number
  onPercent(percent: number): void
}

const EVERYTHING = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']
const MAX_PACKS = 40

export interface MirrorParts {
  root: string
  git: GitRunner
  locks: Locks
  /** In the same directory. */
  drafts: Drafts
  limits: MirrorLimits
}

export function createMirrors({ root, git, locks, drafts, limits }: MirrorParts): Mirrors {
  const uses = createUses()
  const pathOf = (remote: Remote, depth: number | undefined): string => {
    const name = depth === undefined ? remote.url : `${remote.url} depth ${depth}`
    return path.join(root, `${createHash('sha256').update(name).digest('hex')}.git`)
  }

  async function branchOf(directory: string, branch: string, signal: AbortSignal): Promise<string | undefined> {
    const args = [`--git-dir=${directory}`, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`]
    const { exitCode, stdout } = await git.run(args, { signal })
    return exitCode === 0 ? stdout.toString('utf8').trim() : undefined
  }

  /** Whether the copy has what is wanted already. */
  async function isFresh(directory: string, wanted: WantedBranch, signal: AbortSignal): Promise<boolean> {
    if ((await branchOf(directory, wanted.branch, signal)) !== wanted.commit) return false
    if (wanted.contains === undefined) return true
    return (await git.run([`--git-dir=${directory}`, 'cat-file', '-e', wanted.contains], { signal })).exitCode === 0
  }

  async function fetchInto(
    directory: string,
    call: RemoteCall,
    { branch, depth }: WantedBranch,
    { signal, maxBytes, onPercent }: RefreshOptions,
  ): Promise<void> {
    const tooLarge = new AbortController()
    const onLine = (line: string): void => {
      const { percent, receivedBytes } = parseProgress(line)
      if (percent !== undefined) onPercent(percent)
      if (receivedBytes !== undefined && receivedBytes > maxBytes) tooLarge.abort(tooLargeError(call.remote, maxBytes))
    }
    const args = [`--git-dir=${directory}`, 'fetch', '--prune', '--no-tags', '--no-write-fetch-head', '--progress']
    const refs = depth === undefined ? EVERYTHING : [`+refs/heads/${branch}:refs/heads/${branch}`]
    if (depth !== undefined) args.push(`--depth=${depth}`)
    const { exitCode, stderr } = await git.run([...args, '--', call.remote.url, ...refs], {
      signal: AbortSignal.any([signal, tooLarge.signal]),
      call,
      onLine,
    })
    if (exitCode !== 0) throw gitFailure('fetch', call.remote, call.credential, stderr)
    if ((await packBytes(directory)) > maxBytes) throw tooLargeError(call.remote, maxBytes)
    await git.read([`--git-dir=${directory}`, 'pack-refs', '--all'], { signal })
  }

  async function create(
    directory: string,
    call: RemoteCall,
    wanted: WantedBranch,
    options: RefreshOptions,
  ): Promise<void> {
    const draft = drafts.next()
    try {
      const format = wanted.commit.length === 64 ? 'sha256' : 'sha1'
      await git.read(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, '--', draft], options)
      await fetchInto(draft, call, wanted, options)
      await rename(draft, directory)
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  }

  /** Head of the branch in a copy that has it. */
  async function refreshed(
    directory: string,
    call: RemoteCall,
    wanted: WantedBranch,
    options: RefreshOptions,
  ): Promise<string> {
    const { branch, commit } = wanted
    if (await isFresh(directory, wanted, options.signal)) return commit
    return await locks.with(path.basename(directory), options.signal, async () => {
      await mkdir(root, { recursive: true, mode: 0o700 })
      // Whoever had the lock before may have fetched just that.
      if (await isFresh(directory, wanted, options.signal)) return commit
      if (await isThere(directory)) {
        await removeDebris(directory)
        await fetchInto(directory, call, wanted, options)
        if ((await packsOf(directory)).length > MAX_PACKS) {
          await git.read([`--git-dir=${directory}`, 'repack', '-a', '-d', '-q'], options)
        }
      } else {
        await create(directory, call, wanted, options)
      }
      const head = await branchOf(directory, branch, options.signal)
      if (head !== undefined) return head
      throw new ExecutorError(
        'BRANCH_NOT_FOUND',
        `the repository "${call.remote.url}" has no branch "${branch}" any more`,
      )
    })
  }

  return {
    async hold(remote, depth) {
      const directory = pathOf(remote, depth)
      const use = await uses.begin(directory)
      return { directory, [Symbol.dispose]: use[Symbol.dispose] }
    },
    async refresh(call, wanted, options) {
      const directory = pathOf(call.remote, wanted.depth)
      const use = await uses.begin(directory)
      try {
        const commit = await refreshed(directory, call, wanted, options)
        await markUsed(directory)
        return { directory, commit, [Symbol.dispose]: use[Symbol.dispose] }
      } catch (error) {
        use[Symbol.dispose]()
        throw error
      }
    },
    trim: async (signal) => await trimMirrors({ root, locks, uses, drafts, limits }, signal),
  }
}

export function tooLargeError(remote: Remote, maxBytes: number): ExecutorError {
  const text = `the repository "${remote.url}" is larger than ${maxBytes} bytes, which is the limit for a workspace`
  return new ExecutorError('WORKSPACE_FULL', text)
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
