import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { FileChange } from '@opencode-gateway/contracts'
import type { WorkspaceFilesOptions } from '../src/files/files.ts'
import { makeFiles } from './files-harness.ts'

const EVERYTHING: FileChange = { path: '', change: 'modified' }
const LIMIT = { timeout: 30_000 }

async function watched(
  t: TestContext,
  watch: WorkspaceFilesOptions['watch'] = {},
  prepare?: (root: string) => Promise<void>,
) {
  const fixture = await makeFiles({ watch })
  t.after(fixture.close)
  await prepare?.(fixture.root)
  const over = new AbortController()
  const changes = fixture.files.watch(over.signal)[Symbol.asyncIterator]()
  t.after(async () => {
    over.abort()
    while ((await changes.next()).done !== true);
  })
  assert.deepEqual((await changes.next()).value, [])
  return { ...fixture, changes, over }
}

test('more changes than are kept are told as one of everything, and the watch goes on', LIMIT, async (t) => {
  const { root, changes, sh } = await watched(t, { waiting: 5, delayMs: 200 })
  await sh('for i in 1 2 3 4 5 6 7 8; do : > $i; done')
  assert.deepEqual((await changes.next()).value, [EVERYTHING])
  await writeFile(path.join(root, '8'), 'x')
  assert.deepEqual((await changes.next()).value, [{ path: '8', change: 'modified' }])
})

test('more directories than may be watched are told as one of everything', LIMIT, async (t) => {
  const prepare = async (root: string) => void (await mkdir(path.join(root, 'a/b/c'), { recursive: true }))
  const { root, changes } = await watched(t, { directories: 2 }, prepare)
  assert.deepEqual((await changes.next()).value, [EVERYTHING])
  await writeFile(path.join(root, 'a/f'), 'x')
  assert.deepEqual((await changes.next()).value, [{ path: 'a/f', change: 'created' }])
})

test('a watch ends with its signal, and when the workspace is gone', LIMIT, async (t) => {
  const first = await watched(t)
  const next = first.changes.next()
  first.over.abort()
  assert.deepEqual(await next, { value: undefined, done: true })
  const second = await watched(t)
  await rm(second.root, { recursive: true })
  assert.deepEqual(await second.changes.next(), { value: undefined, done: true })
})

test('a watch that has ended watches nothing any more', LIMIT, async (t) => {
  const watches = async () =>
    (await Promise.all((await readdir('/proc/self/fd')).map((fd) => readInfo(fd)))).join('').split('inotify wd').length
  const before = await watches()
  const { over, changes } = await watched(
    t,
    {},
    async (root) => void (await mkdir(path.join(root, 'a/b'), { recursive: true })),
  )
  assert.equal(await watches(), before + 3)
  over.abort()
  await changes.next()
  assert.equal(await watches(), before)
})

async function readInfo(fd: string): Promise<string> {
  return readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '')
}
