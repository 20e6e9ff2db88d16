import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
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
