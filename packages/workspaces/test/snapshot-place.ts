import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import type { FileDiff } from '@opencode-gateway/contracts'
import type { Place } from '../src/snapshot/place.ts'
import { createSnapshots, type Snapshots, type SnapshotsOptions } from '../src/snapshot/snapshots.ts'

/** A workspace with a private directory beside it, and the snapshots of it. */
export interface SnapshotPlace extends Place {
  readonly snapshots: Snapshots
  /** Beside both, for whatever a test needs. */
  readonly outside: string
  write(files: Readonly<Record<string, string | Buffer>>): Promise<void>
  remove(...names: string[]): Promise<void>
  take(name?: string): Promise<void>
  diff(options?: Partial<Parameters<Snapshots['diff']>[1]>): Promise<{ files: readonly FileDiff[]; truncated: boolean }>
  /** `A path` and the like, as git writes it. */
  statuses(options?: Partial<Parameters<Snapshots['diff']>[1]>): Promise<readonly string[]>
  patch(options?: Partial<Parameters<Snapshots['patch']>[1]>): Promise<Buffer>
  reset(name?: string): Promise<void>
}

const PATH = process.env['PATH'] ?? ''
const LIMITS = { timeoutMs: 60_000, maxFileBytes: 1024 * 1024 }

export async function snapshotPlace(
  t: TestContext,
  limits: Partial<SnapshotsOptions['limits']> = {},
): Promise<SnapshotPlace> {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'snapshot-')))
  t.after(() => rm(root, { recursive: true, force: true }))
  const place = { directory: path.join(root, 'workspace'), aside: path.join(root, 'aside') }
  const outside = path.join(root, 'outside')
  for (const directory of [place.directory, place.aside, outside]) await mkdir(directory)
  const snapshots = createSnapshots({ path: PATH, limits: { ...LIMITS, ...limits } })
  const diff: SnapshotPlace['diff'] = (options) =>
    snapshots.diff(place, { from: 'start', limit: 1000, maxPatchBytes: 100_000, ...options }, t.signal)
  return {
    ...place,
    snapshots,
    outside,
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(place.directory, name)), { recursive: true })
        await writeFile(path.join(place.directory, name), content)
      }
    },
    async remove(...names) {
      for (const name of names) await rm(path.join(place.directory, name), { recursive: true })
    },
    take: (name = 'start') => snapshots.take(place, name, t.signal),
    diff,
    async statuses(options) {
      const { files } = await diff(options)
      return files.map(({ status, from, path }) =>
        [status[0]?.toUpperCase(), from, path].filter((part) => part !== undefined).join(' '),
      )
    },
    async patch(options) {
      return await buffer(await snapshots.patch(place, { from: 'start', ...options }, t.signal))
    },
    reset: (name = 'start') => snapshots.reset(place, name, t.signal),
  }
}

/** Runs the real git, as a user would. */
export async function git(directory: string, ...args: string[]): Promise<string> {
  const settings = ['-c', 'user.name=a', '-c', 'user.email=a@localhost', '-c', 'init.defaultBranch=main']
  const { stdout } = await promisify(execFile)('git', [...settings, ...args], {
    cwd: directory,
    env: { PATH, HOME: '/nonexistent', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  })
  return stdout
}

/** Every path below a directory with what it is, without `.git`; names are bytes. */
export async function treeOf(directory: string): Promise<readonly string[]> {
  const lines: string[] = []
  const visit = async (prefix: Buffer): Promise<void> => {
    for (const name of await readdir(Buffer.concat([Buffer.from(`${directory}/`), prefix]), { encoding: 'buffer' })) {
      if (name.equals(Buffer.from('.git'))) continue
      const relative = Buffer.concat([prefix, name])
      const at = Buffer.concat([Buffer.from(`${directory}/`), relative])
      const stat = await lstat(at)
      const shown = relative.toString('latin1')
      if (stat.isDirectory()) {
        lines.push(`${shown}/`)
        await visit(Buffer.concat([relative, Buffer.from('/')]))
      } else if (stat.isSymbolicLink()) lines.push(`${shown} -> ${await readlink(at)}`)
      else if (stat.isFile()) {
        const mode = (stat.mode & 0o100) === 0 ? 'file' : 'executable'
        lines.push(`${shown} ${mode} ${(await readFile(at)).toString('latin1')}`)
      } else lines.push(`${shown} other`)
    }
  }
  await visit(Buffer.alloc(0))
  return lines.toSorted()
}

/** A copy of a directory as it is. */
export async function copyOf(place: SnapshotPlace, name: string): Promise<string> {
  const copy = path.join(place.outside, name)
  // Node's own copy cannot name a file that is not UTF-8.
  await promisify(execFile)('cp', ['-a', place.directory, copy])
  return copy
}

/** Nothing of a call is left beside the workspace. */
export async function assertNoWork({ aside }: Place): Promise<void> {
  const names = await readdir(path.join(aside, 'snapshots'))
  assert.deepEqual(
    names.filter((name) => name !== 'contents' && !name.endsWith('.list')),
    [],
  )
}
