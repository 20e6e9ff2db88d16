import { createReadStream } from 'node:fs'
import { access, mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError, type OnGit } from '@opencode-gateway/contracts'
import { holdGitDirectory } from '../agent-refs.ts'
import type { HeldDirectory } from '../held-directory.ts'
import type { GitRunner } from '../runner.ts'
import { askBatch, BATCH_OBJECTS, type Ordered } from './batch.ts'
import { pointersIn } from './blobs.ts'
import { eachOf } from '../../each-of.ts'
import type { LfsWay } from './failure.ts'
import { copyObject } from './object-copy.ts'
import { objectPath, type Pointer } from './pointer.ts'
import { upload } from './transfer.ts'

const AT_ONCE = 4

export interface PushObjectsOptions {
  /** Of ours, with the commits. */
  gitDirectory: string
  base: string
  commit: string
  /** Content of objects that we made. */
  objects: string
  /** The workspace, whose repository has what the agent made. */
  directory: string
  maxBytes: number
}

/**
 * Stores what new pointers of the branch stand for, where the host does not have it. PUSH_REJECTED when something is
 * missing here too: a branch whose files nobody has is not pushed.
 */
export async function pushObjects(
  git: GitRunner,
  options: PushObjectsOptions,
  way: LfsWay,
  onGit: OnGit,
): Promise<void> {
  const { gitDirectory, base, commit, objects } = options
  const range = ['rev-list', '--objects', '--no-object-names', commit, `^${base}`, '--']
  const names = (await git.read([`--git-dir=${gitDirectory}`, ...range], { signal: way.signal })).split('\n')
  const found = await pointersIn(git, gitDirectory, names.slice(0, -1), way.signal)
  const pointers = [...new Map([...found.values()].map((pointer) => [pointer.oid, pointer])).values()]
  const wanted: Ordered[] = []
  for (let index = 0; index < pointers.length; index += BATCH_OBJECTS) {
    const ordered = await askBatch(way, 'upload', pointers.slice(index, index + BATCH_OBJECTS))
    wanted.push(...ordered.filter(({ transfer }) => transfer !== undefined))
  }
  if (wanted.length === 0) return
  const bytes = wanted.reduce((sum, { pointer }) => sum + pointer.size, 0)
  if (bytes > options.maxBytes) throw rejected(`they take ${bytes} bytes, and the limit is ${options.maxBytes}`)
  const startedAt = performance.now()
  const told = { action: 'lfs', repository: way.api, files: wanted.length, bytes } as const
  onGit({ ...told, state: 'started' })
  await mkdir(objects, { recursive: true, mode: 0o700 })
  await using agent = await holdGitDirectory(options.directory)
  for (const { pointer } of wanted) await bring(agent, pointer, objects, way.signal)
  await eachOf(wanted, AT_ONCE, way.signal, async (order, signal) => {
    await upload({ ...way, signal }, order, path.join(objects, order.pointer.oid))
  })
  onGit({ ...told, state: 'done', duration_ms: Math.round(performance.now() - startedAt) })
}

/** Into ours, checked: what the agent's repository has under a name may be anything by now. */
async function bring(
  agent: HeldDirectory,
  { oid, size }: Pointer,
  objects: string,
  signal: AbortSignal,
): Promise<void> {
  const isOurs = await access(path.join(objects, oid)).then(
    () => true,
    () => false,
  )
  if (isOurs) return
  const names = objectPath(oid)
  await using folder = await agent.enter('lfs', 'objects', ...names.slice(0, -1))
  await using file = await folder?.open(oid)
  if (file === undefined || (await file.stat()).size !== size) throw rejected(`the object ${oid} is in no place`)
  if ((await copyObject(file, objects, signal)).oid === oid) return
  throw rejected(`the object ${oid} is not what its name says`)
}

/** Tells the agent's repository what the commit of ours points to: the files may be other ones by the time of a push. */
export async function giveLfsObjects(objects: string, agent: HeldDirectory): Promise<void> {
  for (const oid of await readdir(objects).catch(() => [])) {
    if (!/^[0-9a-f]{64}$/.test(oid)) continue
    await using folder = await agent.make('lfs', 'objects', ...objectPath(oid).slice(0, -1))
    await folder.replace(oid, createReadStream(path.join(objects, oid)), 0o644)
  }
}

function rejected(reason: string): ExecutorError {
  const text = `the files of Git LFS that the branch needs could not be stored: ${reason}; the work is kept in the workspace`
  return new ExecutorError('PUSH_REJECTED', text, { retryable: false })
}
