import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError, type OnGit } from '@opencode-gateway/contracts'
import { throttled } from '../progress.ts'
import { refused } from '../refused.ts'
import type { GitRunner } from '../runner.ts'
import { addAgentFilter } from './agent-filter.ts'
import { asIndexed } from './as-indexed.ts'
import { askBatch, BATCH_OBJECTS, type Ordered } from './batch.ts'
import { pointersIn } from './blobs.ts'
import { eachOf } from '../../each-of.ts'
import type { LfsWay } from './failure.ts'
import { objectPath, type Pointer } from './pointer.ts'
import { trackedFiles } from './tracked.ts'
import { download } from './transfer.ts'

export interface FillObjectsOptions {
  /** Where the commit has just been checked out; nobody works there yet. */
  directory: string
  commit: string
  maxBytes: number
  way: LfsWay
  onGit: OnGit
}

interface LfsFile {
  /** In latin1. */
  name: string
  mode: string
  blob: string
  pointer: Pointer
}

const MAX_FILES = 20_000
const AT_ONCE = 4

/**
 * Loads what the pointers of a checkout stand for and puts it in their place, and prepares the repository for a git
 * without git-lfs. Bytes that came in. REPOSITORY_REFUSED, WORKSPACE_FULL, REPOSITORY_AUTH, CLONE_FAILED.
 */
export async function fillObjects(git: GitRunner, options: FillObjectsOptions): Promise<number> {
  const { directory, way, onGit } = options
  const gitDirectory = path.join(directory, '.git')
  await addAgentFilter(gitDirectory)
  const files = await lfsFiles(git, options)
  if (files.length === 0) return 0
  const pointers = new Map(files.map(({ pointer }) => [pointer.oid, pointer]))
  const bytes = files.reduce((sum, { pointer }) => sum + pointer.size, 0)
  if (bytes > options.maxBytes) throw tooMuch(way.api, options.maxBytes)
  const startedAt = performance.now()
  const told = { action: 'lfs', repository: way.api, files: pointers.size, bytes } as const
  onGit({ ...told, state: 'started' })
  await load([...pointers.values()], { gitDirectory, way, onGit })
  for (const file of files) await putInPlace(directory, file)
  await tellIndex(git, directory, files, way.signal)
  onGit({ ...told, state: 'done', duration_ms: Math.round(performance.now() - startedAt) })
  return bytes
}

async function lfsFiles(git: GitRunner, { directory, commit, way }: FillObjectsOptions): Promise<readonly LfsFile[]> {
  const { signal } = way
  const gitDirectory = path.join(directory, '.git')
  const tree = await git.read([`--git-dir=${gitDirectory}`, 'ls-tree', '-r', '-z', commit], {
    signal,
    encoding: 'latin1',
  })
  const plain = tree.split('\0').flatMap((line) => {
    const [, mode = '', blob = '', name = ''] = /^(100\d+) blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []
    return mode === '' ? [] : [{ name, mode, blob }]
  })
  const within = [`--git-dir=${gitDirectory}`, `--work-tree=${directory}`]
  const names = plain.map(({ name }) => name)
  const tracked = await trackedFiles(git, within, names, signal)
  const found = plain.filter(({ name }) => tracked.has(name))
  if (found.length > MAX_FILES) throw refused('lfs', `has more than ${MAX_FILES} files`)
  if (found.length === 0) return []
  const blobs = found.map(({ blob }) => blob)
  const pointers = await pointersIn(git, gitDirectory, blobs, signal)
  return found.flatMap((file) => {
    const pointer = pointers.get(file.blob)
    return pointer ? [{ ...file, pointer }] : []
  })
}

async function load(
  pointers: readonly Pointer[],
  { gitDirectory, way, onGit }: { gitDirectory: string; way: LfsWay; onGit: OnGit },
): Promise<void> {
  const whole = pointers.reduce((sum, { size }) => sum + size, 0)
  const onPercent = throttled((percent) => onGit({ action: 'lfs', state: 'progress', repository: way.api, percent }))
  let loaded = 0
  for (let index = 0; index < pointers.length; index += BATCH_OBJECTS) {
    const ordered = await askBatch(way, 'download', pointers.slice(index, index + BATCH_OBJECTS))
    await eachOf(ordered, AT_ONCE, way.signal, async (order: Ordered, signal) => {
      const { oid, size } = order.pointer
      const file = path.join(gitDirectory, 'lfs', 'objects', ...objectPath(oid))
      await mkdir(path.dirname(file), { recursive: true })
      await download({ ...way, signal }, order, file)
      loaded += size
      if (whole > 0) onPercent(Math.floor((loaded / whole) * 100))
    })
  }
}

/** Nothing in a fresh checkout leads out of it. By a rename: what is there is a link for nobody. */
async function putInPlace(directory: string, { name, mode, pointer }: LfsFile): Promise<void> {
  const object = path.join(directory, '.git', 'lfs', 'objects', ...objectPath(pointer.oid))
  const draft = path.join(directory, '.git', 'lfs', 'placed')
  try {
    await copyFile(object, draft, constants.COPYFILE_FICLONE)
    await chmod(draft, mode === '100755' ? 0o755 : 0o644)
    await rename(draft, Buffer.from(`${Buffer.from(directory).toString('latin1')}/${name}`, 'latin1'))
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/**
 * The files stand for what the index has: what came in was compared. First without what git remembers of the pointers'
 * own sizes, by which it would see a difference.
 */
async function tellIndex(
  git: GitRunner,
  directory: string,
  files: readonly LfsFile[],
  signal: AbortSignal,
): Promise<void> {
  const within = [`--git-dir=${path.join(directory, '.git')}`, `--work-tree=${directory}`]
  const entries = files.map(({ name, mode, blob }) => `${mode} ${blob}\t${name}\0`).join('')
  await git.read([...within, 'update-index', '-z', '--index-info'], { signal, input: Buffer.from(entries, 'latin1') })
  await git.run([...within, ...asIndexed, 'update-index', '-q', '--refresh'], { signal })
}

function tooMuch(api: string, maxBytes: number): Error {
  return new ExecutorError(
    'WORKSPACE_FULL',
    `the files of Git LFS at "${api}" take more than ${maxBytes} bytes, which is what is left of the limit for a workspace`,
  )
}
