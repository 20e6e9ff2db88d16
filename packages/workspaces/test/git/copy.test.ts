import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { createDirectories } from '../../src/directories.ts'
import { createWorkspaces } from '../../src/workspaces.ts'
import { delivery, gitScene } from './scene.ts'

test('a copied workspace has the repository, and its work is delivered apart from that of the other', async (t) => {
  const { server, git, root, ctx, onGit, asAgent } = await gitScene(t)
  const url = await server.addRepository('demo', { 'README.md': 'Demo\n' })
  const directories = createDirectories(path.join(root, 'workspaces'))
  await directories.prepare()
  const workspaces = createWorkspaces({ directories, git })
  const source = await workspaces.open('one', { repository: { url, workBranch: 'work' } }, ctx(), onGit)
  await writeFile(path.join(source.path, 'both.txt'), 'not committed yet\n')
  const copy = await workspaces.copy('one', 'two', t.signal)
  const [one, two] = [await workspaces.find('one'), await workspaces.find('two')]
  assert.deepEqual(await two?.repository(), await one?.repository())
  assert.equal(asAgent(copy, 'status', '--porcelain'), '?? both.txt')
  await writeFile(path.join(copy, 'two.txt'), 'of the copy\n')
  const delivered = await two?.deliver(delivery({ push: true }), ctx(), onGit)
  assert.equal(await server.git('demo', 'ls-tree', '--name-only', 'work'), 'README.md\nboth.txt\ntwo.txt')
  assert.equal(asAgent(copy, 'rev-parse', 'HEAD'), delivered?.commit)
  assert.equal(asAgent(source.path, 'status', '--porcelain'), '?? both.txt')
  assert.equal(asAgent(copy, 'fsck', '--strict'), '')
})

test('a copy works on a branch of its own, from where that of the other is, unless the branch was asked for', async (t) => {
  const { server, git, root, ctx, onGit, asAgent } = await gitScene(t)
  const url = await server.addRepository('demo', { 'README.md': 'Demo\n' })
  const directories = createDirectories(path.join(root, 'workspaces'))
  await directories.prepare()
  const workspaces = createWorkspaces({ directories, git })
  const deliver = async (id: string, file: string) => {
    const workspace = await workspaces.find(id)
    await writeFile(path.join(workspace?.path ?? '', file), id)
    return await workspace?.deliver(delivery({ push: true }), ctx(), onGit)
  }
  await workspaces.open('11111111-one', { repository: { url } }, ctx(), onGit)
  const first = await deliver('11111111-one', 'first.txt')
  assert.equal(first?.branch, 'opencode/11111111')
  const copy = await workspaces.copy('11111111-one', '22222222-two', t.signal)
  assert.equal(asAgent(copy, 'status', '--short', '--branch'), '## opencode/22222222')
  assert.equal(asAgent(copy, 'rev-parse', 'HEAD'), first?.commit)
  // Of a copy, and without a repository that could be told.
  const third = await workspaces.copy('22222222-two', '33333333-three', t.signal)
  asAgent(third, 'checkout', '-q', '--detach')
  asAgent(third, 'branch', '-qD', 'opencode/33333333')
  const fourth = await workspaces.copy('33333333-three', '44444444-four', t.signal)
  await rm(path.join(fourth, '.git'), { recursive: true })
  await workspaces.copy('44444444-four', '55555555-five', t.signal)
  assert.equal((await (await workspaces.find('55555555-five'))?.repository())?.branch, 'opencode/55555555')

  for (const id of ['11111111-one', '22222222-two', '33333333-three']) {
    const delivered = await deliver(id, `${id}.txt`)
    const branch = `opencode/${id.slice(0, 8)}`
    assert.equal(delivered?.branch, branch)
    assert.equal(await server.git('demo', 'rev-parse', branch), delivered?.commit)
    assert.equal(await server.git('demo', 'rev-parse', `${branch}^`), first?.commit)
  }
})
