import assert from 'node:assert/strict'
import { lstat, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { handOver } from '../src/container/hand-over.ts'

const user = { uid: 1000, gid: 1000 }
const skip = process.getuid?.() === 0 ? false : 'only root can give files away'

async function tree(t: TestContext): Promise<{ root: string; outside: string; uidOf(file: string): Promise<number> }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'hand-over-'))
  t.after(() => rm(directory, { recursive: true }))
  const [root, outside] = [path.join(directory, 'root'), path.join(directory, 'outside')]
  await mkdir(path.join(root, 'a', 'b'), { recursive: true })
  await mkdir(outside)
  await writeFile(path.join(root, 'a', 'b', 'deep'), '')
  await writeFile(path.join(root, 'top'), '')
  await writeFile(path.join(outside, 'precious'), '')
  return { root, outside, uidOf: async (file) => (await lstat(file)).uid }
}

test('a directory and all in it become those of the container', { skip }, async (t) => {
  const { root, uidOf } = await tree(t)
  await handOver(root, user)
  for (const file of ['', 'a', 'a/b', 'a/b/deep', 'top']) assert.equal(await uidOf(path.join(root, file)), 1000, file)
})

test('only what lies on the way is handed over when a way is given', { skip }, async (t) => {
  const { root, uidOf } = await tree(t)
  await handOver(root, user, { along: ['a', 'b'] })
  for (const file of ['', 'a', 'a/b', 'a/b/deep']) {
    assert.equal(await uidOf(path.join(root, file)), file === 'a/b/deep' ? 0 : 1000, file)
  }
  assert.equal(await uidOf(path.join(root, 'top')), 0)
})

test('what a link leads to is not handed over, be it the root, a directory or a file', { skip }, async (t) => {
  const { root, outside, uidOf } = await tree(t)
  await symlink(outside, path.join(root, 'a', 'way-out'))
  await symlink(path.join(outside, 'precious'), path.join(root, 'file'))
  await handOver(root, user)
  await handOver(root, user, { along: ['a', 'way-out', 'precious'] })
  await symlink(outside, path.join(outside, 'root'))
  await assert.rejects(handOver(path.join(outside, 'root'), user))
  assert.equal(await uidOf(outside), 0)
  assert.equal(await uidOf(path.join(outside, 'precious')), 0)
})
