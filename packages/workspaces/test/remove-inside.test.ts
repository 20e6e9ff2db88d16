import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { removeInside } from '../src/index.ts'

async function place(t: TestContext): Promise<{ directory: string; outside: string }> {
  const root = await mkdtemp(path.join(tmpdir(), 'remove-inside-'))
  t.after(() => rm(root, { recursive: true }))
  const [directory, outside] = [path.join(root, 'directory'), path.join(root, 'outside')]
  await mkdir(outside)
  await writeFile(path.join(outside, 'precious'), '')
  return { directory, outside }
}

test('what a directory has under a name is removed with all that is in it', async (t) => {
  const { directory } = await place(t)
  await mkdir(path.join(directory, 'run', 'deep'), { recursive: true })
  await writeFile(path.join(directory, 'run', 'deep', 'file'), '')
  await mkdir(path.join(directory, 'other'))
  await removeInside(directory, 'run')
  assert.deepEqual(await readdir(directory), ['other'])
})

test('nothing happens when there is nothing to remove', async (t) => {
  const { directory } = await place(t)
  await removeInside(directory, 'run')
  await mkdir(directory)
  await removeInside(directory, 'run')
  assert.deepEqual(await readdir(directory), [])
})

test('links inside go, and what they lead to stays', async (t) => {
  const { directory, outside } = await place(t)
  await mkdir(path.join(directory, 'run'), { recursive: true })
  await symlink(outside, path.join(directory, 'run', 'link'))
  await symlink(outside, path.join(directory, 'linked'))
  await removeInside(directory, 'run')
  await removeInside(directory, 'linked')
  assert.deepEqual(await readdir(directory), [])
  assert.deepEqual(await readdir(outside), ['precious'])
})

test('a link in place of the directory is not followed', async (t) => {
  const { directory, outside } = await place(t)
  await symlink(outside, directory)
  await assert.rejects(removeInside(directory, 'precious'))
  assert.deepEqual(await readdir(outside), ['precious'])
})
