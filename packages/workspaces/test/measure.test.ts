import assert from 'node:assert/strict'
import { link, mkdir, mkdtemp, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { createDirectories, createWorkspaces } from '../src/index.ts'

const KIB = 1024
const plenty = { maxBytes: 1024 * 1024 * KIB, maxFiles: 100_000 }

async function scene(t: TestContext, { beside = [] }: { beside?: readonly string[] } = {}) {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'measure-')))
  t.after(() => rm(root, { recursive: true, force: true }))
  const directories = createDirectories(path.join(root, 'workspaces'))
  await directories.prepare()
  const besideOf = (): readonly string[] => beside.map((name) => path.join(root, name))
  const workspace = await createWorkspaces({ directories, besideOf }).make('one')
  return {
    workspace,
    shell: directories.beside('one', 'shell'),
    at: (name: string) => path.join(workspace.path, name),
    outside: root,
  }
}

test('what a workspace takes on the disk is counted, with what belongs to git', async (t) => {
  const { workspace, at } = await scene(t)
  assert.deepEqual(await workspace.measure(plenty, t.signal), { bytes: 0, files: 0, whole: true })
  await mkdir(at('.git/objects'), { recursive: true })
  await writeFile(at('.git/objects/pack'), Buffer.alloc(300 * KIB, 1))
  await writeFile(at('f'), Buffer.alloc(200 * KIB, 1))
  const { bytes, files, whole } = await workspace.measure(plenty, t.signal)
  assert.deepEqual([files, whole], [4, true])
  assert.ok(bytes >= 500 * KIB && bytes < 600 * KIB, `${bytes} bytes`)
})

test('what has several names counts once, holes do not count, and no link is followed', async (t) => {
  const { workspace, at, outside } = await scene(t)
  await writeFile(at('f'), Buffer.alloc(200 * KIB, 1))
  for (let name = 0; name < 20; name += 1) await link(at('f'), at(`also ${name}`))
  await writeFile(at('hole'), '')
  await truncate(at('hole'), 1024 * 1024 * KIB)
  await mkdir(path.join(outside, 'large'))
  await writeFile(path.join(outside, 'large/f'), Buffer.alloc(900 * KIB, 1))
  await symlink(path.join(outside, 'large'), at('out'))
  const { bytes, files, whole } = await workspace.measure(plenty, t.signal)
  assert.deepEqual([files, whole], [23, true])
  assert.ok(bytes >= 200 * KIB && bytes < 300 * KIB, `${bytes} bytes`)
})

test('counting stops where a limit is passed', async (t) => {
  const { workspace, at } = await scene(t)
  for (let name = 0; name < 50; name += 1) await writeFile(at(String(name)), Buffer.alloc(8 * KIB, 1))
  const many = await workspace.measure({ ...plenty, maxFiles: 10 }, t.signal)
  assert.deepEqual([many.files, many.whole], [11, false])
  const large = await workspace.measure({ ...plenty, maxBytes: 20 * KIB }, t.signal)
  assert.deepEqual([large.files, large.whole], [3, false])
  assert.equal((await workspace.measure({ maxFiles: 50, maxBytes: 50 * 8 * KIB }, t.signal)).whole, true)
})

test('what an agent writes elsewhere counts too, beyond what an engine needs; what is not there is nothing', async (t) => {
  const { workspace, at, shell, outside } = await scene(t, { beside: ['home', 'sockets', 'missing'] })
  const write = async (directory: string, bytes: number): Promise<void> => {
    await mkdir(directory, { recursive: true })
    await writeFile(path.join(directory, 'big'), Buffer.alloc(bytes, 1))
  }
  await writeFile(at('f'), Buffer.alloc(200 * KIB, 1))
  await write(path.join(outside, 'home'), 16 * 1024 * KIB)
  const few = await workspace.measure(plenty, t.signal)
  assert.deepEqual([few.files, few.whole], [1, true])
  assert.ok(few.bytes < 300 * KIB, `${few.bytes} bytes`)
  await write(path.join(outside, 'sockets'), 12 * 1024 * KIB)
  await write(shell, 12 * 1024 * KIB)
  const { bytes, whole } = await workspace.measure(plenty, t.signal)
  assert.ok(whole && bytes >= 8 * 1024 * KIB && bytes < 9 * 1024 * KIB, `${bytes} bytes`)
  assert.equal((await workspace.measure({ ...plenty, maxBytes: 4 * 1024 * KIB }, t.signal)).whole, false)
  assert.equal((await workspace.measure({ ...plenty, maxBytes: 9 * 1024 * KIB }, t.signal)).whole, true)
  for (let name = 0; name < 1010; name += 1) await writeFile(path.join(outside, 'home', String(name)), '')
  assert.equal((await workspace.measure(plenty, t.signal)).files, 1 + 13)
})

test('many files are counted as few are', async (t) => {
  const { workspace, at } = await scene(t)
  for (let name = 0; name < 300; name += 1) await writeFile(at(String(name)), Buffer.alloc(4 * KIB, 1))
  assert.deepEqual(await workspace.measure(plenty, t.signal), { bytes: 1200 * KIB, files: 300, whole: true })
})

test('what lies too deep to be counted is too much', async (t) => {
  const { workspace, at } = await scene(t)
  await mkdir(at('d/'.repeat(199)), { recursive: true })
  assert.equal((await workspace.measure(plenty, t.signal)).whole, true)
  await mkdir(at('d/'.repeat(201)), { recursive: true })
  assert.equal((await workspace.measure(plenty, t.signal)).whole, false)
})

test('a workspace that has gone is no workspace without files', async (t) => {
  const { workspace } = await scene(t)
  await rm(workspace.path, { recursive: true })
  await assert.rejects(workspace.measure(plenty, t.signal), { code: 'WORKSPACE_ERROR' })
})
