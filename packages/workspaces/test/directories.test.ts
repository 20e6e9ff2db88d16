import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createDirectories } from '../src/directories.ts'
import type { Directories } from '../src/directories.ts'

async function workspacesFor(t: TestContext): Promise<Directories & { root: string }> {
  const root = await mkdtemp(path.join(tmpdir(), 'workspaces-'))
  t.after(() => rm(root, { recursive: true }))
  const workspaces = createDirectories(root)
  await workspaces.prepare()
  return { ...workspaces, root }
}

test('a workspace is for its owner alone', async (t) => {
  const workspaces = await workspacesFor(t)
  const directory = await workspaces.create('one')
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
})

test('a workspace is found again and made again with what it holds', async (t) => {
  const workspaces = await workspacesFor(t)
  const directory = await workspaces.create('one')
  await writeFile(path.join(directory, 'kept.txt'), 'kept')
  assert.equal(await workspaces.find('one'), directory)
  assert.equal(await workspaces.create('one'), directory)
  assert.deepEqual(await readdir(directory), ['kept.txt'])
})

test('a directory that is not ours is neither taken nor listed', async (t) => {
  const workspaces = await workspacesFor(t)
  await mkdir(path.join(workspaces.root, 'foreign'))
  await assert.rejects(workspaces.create('foreign'), { code: 'WORKSPACE_ERROR' })
  assert.equal(await workspaces.find('foreign'), undefined)
  assert.deepEqual(await workspaces.list(), [])
  assert.deepEqual((await readdir(workspaces.root)).sort(), ['.aside', '.sessions', '.shell', 'foreign'])
})

test('a removed workspace leaves nothing, and removing follows no link', async (t) => {
  const workspaces = await workspacesFor(t)
  const directory = await workspaces.create('one')
  const outside = await mkdtemp(path.join(tmpdir(), 'outside-'))
  t.after(() => rm(outside, { recursive: true }))
  await writeFile(path.join(outside, 'precious'), '')
  await symlink(outside, path.join(directory, 'link'))
  await mkdir(workspaces.beside('one', 'shell'), { recursive: true })
  await mkdir(workspaces.beside('one', 'aside'), { recursive: true })
  await workspaces.remove('one')
  await workspaces.remove('one')
  assert.deepEqual(await readdir(outside), ['precious'])
  assert.deepEqual((await readdir(workspaces.root, { recursive: true })).sort(), ['.aside', '.sessions', '.shell'])
})

test('a name that leads elsewhere is refused', async (t) => {
  const workspaces = await workspacesFor(t)
  for (const name of ['..', '../up', '/abs', '.hidden', '', 'a/b', 'a\0b', 'x'.repeat(129)]) {
    await assert.rejects(async () => await workspaces.create(name), { code: 'WORKSPACE_ERROR' }, name)
  }
})

for (const name of ['.git', 'AGENTS.md']) {
  test(`a root below ${name} is refused`, async (t) => {
    const { root } = await workspacesFor(t)
    await writeFile(path.join(root, name), '')
    await assert.rejects(createDirectories(path.join(root, 'below', 'it')).prepare(), /WORKSPACE_ROOT/)
  })
}
