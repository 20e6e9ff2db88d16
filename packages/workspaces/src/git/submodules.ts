import { lstat, readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'
import { chooseBranch, lookAtRemote } from './advertised.ts'
import { checkOut } from './checkout.ts'
import type { RemoteCall } from './remote-call.ts'
import type { FillParts } from './fill-parts.ts'
import { fillLfs, type LfsOrder } from './lfs/lfs.ts'
import { tooLargeError } from './mirrors.ts'
import { refused } from './refused.ts'
import type { GitRunner } from './runner.ts'
import { submoduleUrl } from './submodule-url.ts'

interface Superproject {
  call: RemoteCall
  mirror: { directory: string; commit: string }
  directory: string
  workBranch: string
  /** Unless the large files stay out. */
  lfs: LfsOrder | undefined
  /** 1 for the repository itself. */
  level: number
}

interface Submodule {
  path: string
  commit: string
  url: string
}

const MAX_LEVEL = 5
const MAX_COUNT = 100
const MAX_GITMODULES_BYTES = 1024 * 1024

/**
 * Fills the directories of submodules as that of the repository was: each from a mirror of its own, by the same rules
 * and limits. Of `.gitmodules` only `path` and `url` count; git never reads it by itself.
 */
export async function fillSubmodules(
  parts: FillParts,
  left: { maxBytes: number; count: number },
  parent: Superproject,
  signal: AbortSignal,
): Promise<void> {
  for (const submodule of await submodulesOf(parts.git, parent, signal)) {
    try {
      left.count += 1
      if (left.count > MAX_COUNT) throw refused('submodules', `are more than ${MAX_COUNT}`)
      if (parent.level > MAX_LEVEL) throw refused('submodules', `are in each other more than ${MAX_LEVEL} levels deep`)
      await fillOne(parts, left, parent, submodule, signal)
    } catch (error) {
      if (!(error instanceof ExecutorError)) throw error
      const { code, message, retryable } = error
      const text = message.startsWith('submodule ')
        ? message
        : `submodule ${JSON.stringify(submodule.path)}: ${message}`
      throw new ExecutorError(code, text, { retryable, cause: error })
    }
  }
}

async function fillOne(
  parts: FillParts,
  left: { maxBytes: number; count: number },
  parent: Superproject,
  submodule: Submodule,
  signal: AbortSignal,
): Promise<void> {
  const { git, mirrors, author } = parts
  const directory = await emptyDirectory(parent.directory, submodule.path)
  const call = await parts.callTo(submoduleUrl(parent.call.remote.url, submodule.url))
  const url = call.remote.url
  const { branch, commit: head } = chooseBranch(url, await lookAtRemote(git, call, signal), undefined)
  const onPercent = (): void => undefined
  const limits = { signal, maxBytes: left.maxBytes, onPercent }
  using mirror = await mirrors.refresh(call, { branch, commit: head, contains: submodule.commit }, limits)
  const found = { directory: mirror.directory, commit: submodule.commit }
  const type = await git.run([`--git-dir=${mirror.directory}`, 'cat-file', '-t', submodule.commit], { signal })
  if (type.exitCode !== 0 || type.stdout.toString('utf8').trim() !== 'commit') {
    throw new ExecutorError('CLONE_FAILED', `the repository "${url}" has no commit ${submodule.commit} on a branch`, {
      retryable: false,
    })
  }
  left.maxBytes -= await treeBytes(git, found, signal)
  if (left.maxBytes < 0) throw tooLargeError(call.remote, parts.maxBytes)
  const { workBranch, lfs } = parent
  await checkOut(git, {
    mirror: mirror.directory,
    directory,
    url,
    baseBranch: branch,
    baseCommit: submodule.commit,
    workBranch,
    author,
    signal,
    onPercent,
  })
  if (lfs) await fillLfs(parts, left, { remote: call.remote, directory, commit: found.commit }, lfs, signal)
  const level = parent.level + 1
  await fillSubmodules(parts, left, { call, mirror: found, directory, workBranch, lfs, level }, signal)
}

/** What the tree has as a submodule and `.gitmodules` has an address for. */
async function submodulesOf(
  git: GitRunner,
  { mirror }: Superproject,
  signal: AbortSignal,
): Promise<readonly Submodule[]> {
  const within = `--git-dir=${mirror.directory}`
  const tree = await git.read([within, 'ls-tree', '-r', '-z', mirror.commit], { signal })
  const entries = tree.split('\0').map((line) => /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line))
  const modules = entries.find((entry) => entry?.[3] === '.gitmodules' && entry[1]?.startsWith('100'))?.[2]
  if (modules === undefined) return []
  if (Number(await git.read([within, 'cat-file', '-s', modules], { signal })) > MAX_GITMODULES_BYTES) {
    throw refused('submodules', `have a .gitmodules of more than ${MAX_GITMODULES_BYTES} bytes`)
  }
  const { exitCode, stdout } = await git.run([within, 'config', '--no-includes', '--blob', modules, '--list', '-z'], {
    signal,
  })
  if (exitCode !== 0) throw refused('submodules', 'have a .gitmodules that git cannot read')
  const urls = urlsByPath(stdout.toString('utf8'))
  return entries.flatMap((entry) => {
    const [, mode, commit = '', name = ''] = entry ?? []
    const url = urls.get(name)
    return mode === '160000' && url !== undefined ? [{ path: name, commit, url }] : []
  })
}

function urlsByPath(list: string): ReadonlyMap<string, string> {
  const found = new Map<string, { path?: string; url?: string }>()
  for (const entry of list.split('\0')) {
    const [, name = '', key = '', value = ''] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(entry) ?? []
    if (key !== '') found.set(name, { ...found.get(name), [key]: value })
  }
  const urls = new Map<string, string>()
  for (const { path, url } of found.values()) if (path !== undefined && url !== undefined) urls.set(path, url)
  return urls
}

/** Made by the checkout of the repository it is in; nothing else may be there. */
async function emptyDirectory(root: string, name: string): Promise<string> {
  const directory = path.join(root, name)
  const isPlain = name.split('/').every((part) => part !== '' && !/^\.{1,2}$|^\.git$/i.test(part))
  const isThere = isPlain && (await lstat(directory).catch(() => undefined))?.isDirectory() === true
  if (!isThere || (await realpath(directory)) !== path.join(await realpath(root), name)) {
    throw refused('submodules', 'have a path that is not a directory of the repository')
  }
  if ((await readdir(directory)).length === 0) return directory
  throw refused('submodules', 'have a path with something in it')
}

/** Of the files that a commit has, without submodules. */
export async function treeBytes(
  git: GitRunner,
  { directory, commit }: { directory: string; commit: string },
  signal: AbortSignal,
): Promise<number> {
  const args = [`--git-dir=${directory}`, 'ls-tree', '-r', '--format=%(objectsize)', commit]
  return (await git.read(args, { signal })).split('\n').reduce((sum, size) => sum + (Number(size) || 0), 0)
}
