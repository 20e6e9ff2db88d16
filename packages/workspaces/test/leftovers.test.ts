import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@opencode-gateway/contracts'
import { createDirectories, createWorkspaces } from '../src/index.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

async function scene(t: TestContext) {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'leftovers-')))
  t.after(() => rm(root, { recursive: true, force: true }))
  const directories = createDirectories(root)
  await directories.prepare()
  const beside = path.join(root, '.aside/one/files')
  /** A gateway's life: the former ones have been killed. */
  const life = () => createWorkspaces({ directories })
  const staged = async () =>
    (await readdir(beside, { recursive: true }).catch(() => [])).filter((name) => /upload-|unpack-/.test(name))
  return { root, beside, life, staged }
}

async function eventually(t: TestContext, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5, undefined, { signal: t.signal })
}

test('what a killed gateway left beside a workspace is removed at the start, and nothing of a call that goes on', async (t) => {
  const { life, staged, beside } = await scene(t)
  const [killed, next] = [life(), life()]
  const endless = new PassThrough()
  const { files } = await killed.make('one')
  const lost = files.write('lost', endless, { maxBytes: 100 }, t.signal)
  lost.catch(() => {})
  endless.write('half')
  await eventually(t, async () => (await staged()).length === 1)
  await killed.clearLeftovers(silent)
  assert.equal((await staged()).length, 1, 'a call of its own is under way')

  const body = new PassThrough()
  const going = (await next.make('one')).files.write('file', body, { maxBytes: 100 }, t.signal)
  body.write('whole')
  await eventually(t, async () => (await staged()).length === 2)
  await mkdir(path.join(beside, 'unpack-6e0c1f64-aaaa-4aaa-8aaa-0123456789ab/d'), { recursive: true })
  await next.clearLeftovers(silent)
  assert.equal((await staged()).length, 1)
  body.end()
  assert.equal((await going).stat.size, 5)
  assert.deepEqual(await staged(), [])
  endless.destroy()
  await assert.rejects(lost)
})

test('what is not ours by its name stays, and a link is not followed', async (t) => {
  const { life, root, beside } = await scene(t)
  const workspaces = life()
  await workspaces.make('one')
  const foreign = path.join(root, 'foreign')
  await mkdir(path.join(foreign, '6e0c1f64-aaaa-4aaa-8aaa-0123456789ab'), { recursive: true })
  await mkdir(beside, { recursive: true })
  await writeFile(path.join(beside, 'notes'), 'x')
  await symlink(foreign, path.join(beside, '6e0c1f64-aaaa-4aaa-8aaa-0123456789ab'))
  await workspaces.clearLeftovers(silent)
  assert.deepEqual(await readdir(beside), ['notes'])
  await rename(beside, `${beside}.away`)
  await symlink(foreign, beside)
  await workspaces.clearLeftovers(silent)
  assert.deepEqual(await readdir(foreign), ['6e0c1f64-aaaa-4aaa-8aaa-0123456789ab'])
})
