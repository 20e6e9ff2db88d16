import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readlink, realpath, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { execFileSync } from 'node:child_process'
import { createDirectories } from '../src/directories.ts'
import { createSnapshots } from '../src/snapshot/snapshots.ts'
import { createWorkspaces, type WorkspacesOptions } from '../src/workspaces.ts'
import { treeOf } from './snapshot-place.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** Workspaces below a root, with a session "one" that began with a file. */
async function makeWorkspaces(t: TestContext, options: Partial<WorkspacesOptions> = {}) {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'copy-')))
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 3 }))
  const directories = createDirectories(path.join(root, 'workspaces'))
  await directories.prepare()
  const limits = { timeoutMs: 60_000, maxFileBytes: 1024 * 1024 }
  const snapshots = createSnapshots({ path: process.env['PATH'] ?? '', limits })
  const workspaces = createWorkspaces({ directories, snapshots, maxCheckpoints: 5, ...options })
  const ctx = { signal: t.signal, log: silent }
  const { path: directory } = await workspaces.open('one', { files: { 'a.txt': 'start\n' } }, ctx, () => {})
  const everything = async () => (await readdir(path.join(root, 'workspaces'), { recursive: true })).toSorted()
  return { root, directories, workspaces, directory, everything, at: (name: string) => path.join(directory, name) }
}

const statuses = async (
  t: TestContext,
  workspaces: Awaited<ReturnType<typeof makeWorkspaces>>['workspaces'],
  id: string,
) => {
  const { files } = (await (await workspaces.find(id))?.diff({ limit: 100, maxPatchBytes: 0 }, t.signal)) ?? {
    files: [],
  }
  return files.map(({ status, path }) => `${status} ${path}`)
}

test('a copy has everything, links as links, and knows the same start', async (t) => {
  const { root, workspaces, directory, at } = await makeWorkspaces(t)
  await writeFile(path.join(root, 'precious'), 'not to be copied')
  await mkdir(at('.git/objects'), { recursive: true })
  await mkdir(at('empty/inner'), { recursive: true })
  await writeFile(at('.git/HEAD'), 'ref: refs/heads/main\n')
  await writeFile(at('run.sh'), '#!', { mode: 0o755 })
  await writeFile(at('new.txt'), 'new\n')
  await writeFile(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0x41])]), 'bytes')
  await symlink(path.join(root, 'precious'), at('out'))
  await symlink('..', at('up'))
  await symlink('nowhere', at('broken'))
  execFileSync('mkfifo', [at('pipe')])
  const long = new Date('2020-01-02T03:04:05Z')
  await utimes(at('new.txt'), long, long)
  await chmod(at('empty'), 0o555)

  const copy = await workspaces.copy('one', 'two', t.signal)
  await rm(at('pipe'))
  assert.deepEqual(await treeOf(copy), await treeOf(directory))
  assert.deepEqual((await readdir(path.join(copy, '.git'))).toSorted(), ['HEAD', 'objects'])
  assert.equal(await readlink(path.join(copy, 'out')), path.join(root, 'precious'))
  assert.equal((await stat(path.join(copy, 'empty'))).mode & 0o777, 0o555)
  assert.equal((await stat(path.join(copy, 'new.txt'))).mtimeMs, long.getTime())
  for (const empty of [at('empty'), path.join(copy, 'empty')]) await chmod(empty, 0o755)

  const told = await statuses(t, workspaces, 'one')
  assert.ok(told.includes('added new.txt') && !told.includes('modified a.txt'))
  assert.deepEqual(await statuses(t, workspaces, 'two'), told)
  await writeFile(path.join(copy, 'a.txt'), 'changed\n')
  assert.deepEqual(await statuses(t, workspaces, 'one'), told)
  await (await workspaces.find('two'))?.reset(undefined, t.signal)
  assert.deepEqual(await treeOf(copy), ['a.txt file start\n'])
})

test('what runs of the other session left is not of the copy, which remembers its own', async (t) => {
  const { workspaces, at } = await makeWorkspaces(t)
  const one = await workspaces.find('one')
  await writeFile(at('a.txt'), 'after the run\n')
  await one?.checkpoint('run-of-one', t.signal)
  const copy = await workspaces.copy('one', 'two', t.signal)
  const two = await workspaces.find('two')
  await assert.rejects(two?.reset('run-of-one', t.signal) ?? Promise.resolve(), { code: 'SNAPSHOT_NOT_FOUND' })
  await writeFile(path.join(copy, 'a.txt'), 'of two\n')
  await two?.checkpoint('run-of-two', t.signal)
  await two?.reset(undefined, t.signal)
  await two?.reset('run-of-two', t.signal)
  assert.deepEqual(await treeOf(copy), ['a.txt file of two\n'])
})

test('a workspace that is too large, or a copy that is not wanted any more, leaves nothing', async (t) => {
  const { workspaces, everything, at } = await makeWorkspaces(t, { maxCopyBytes: 100 })
  await writeFile(at('large.bin'), 'x'.repeat(200))
  const before = await everything()
  await assert.rejects(workspaces.copy('one', 'two', t.signal), { code: 'WORKSPACE_FULL' })
  await assert.rejects(workspaces.copy('one', 'two', AbortSignal.abort(new Error('not wanted'))), /not wanted/)
  await assert.rejects(workspaces.copy('none', 'two', t.signal), { code: 'WORKSPACE_NOT_FOUND' })
  await assert.rejects(workspaces.copy('one', 'one', t.signal), { code: 'WORKSPACE_ERROR' })
  assert.deepEqual(await everything(), before)
})

test('a copy that is aborted while it goes on has ended when it says so, and leaves nothing', async (t) => {
  const { workspaces, directories, everything, at } = await makeWorkspaces(t)
  for (let index = 0; index < 2000; index += 1) await writeFile(at(`f${index}`), String(index))
  const before = await everything()
  for (const delayMs of [1, 20, 40, 80]) {
    const signal = AbortSignal.timeout(delayMs)
    await workspaces.copy('one', 'two', signal).then(
      () => directories.remove('two'),
      (error: unknown) => assert.equal(error, signal.reason),
    )
    assert.deepEqual(await everything(), before)
  }
})
