import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { delivery, gitScene } from './scene.ts'

test('D4: a repository is cloned, the work is committed on a branch of its own, and the branch is pushed', async (t) => {
  const { server, git, place, ctx, events, onGit, asAgent, clone } = await gitScene(t)
  const url = await server.addRepository('demo', { 'README.md': 'Demo\n', 'src/old.txt': 'old\n' })
  const source = { url }
  const at = await place()
  const repository = await clone(source, at, ctx(), onGit)
  assert.deepEqual(repository, {
    url,
    branch: 'opencode/one',
    baseBranch: 'main',
    baseCommit: await server.git('demo', 'rev-parse', 'main'),
  })
  assert.equal(await readFile(path.join(at.directory, 'README.md'), 'utf8'), 'Demo\n')
  assert.equal(asAgent(at.directory, 'status', '--porcelain'), '')
  assert.equal(asAgent(at.directory, 'branch', '--show-current'), 'opencode/one')

  await writeFile(path.join(at.directory, 'hello.txt'), 'hello\n')
  await rm(path.join(at.directory, 'src'), { recursive: true })
  const delivered = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(delivered.pushed, true)
  assert.equal(delivered.commit, await server.git('demo', 'rev-parse', 'opencode/one'))
  assert.equal(await server.git('demo', 'show', 'opencode/one:hello.txt'), 'hello')
  assert.equal(await server.git('demo', 'ls-tree', '-r', '--name-only', 'opencode/one'), 'README.md\nhello.txt')
  assert.equal(
    await server.git('demo', 'log', '-1', '--format=%an <%ae>|%B', 'opencode/one'),
    'Gateway <gateway@example.com>|Add a greeting\n\nRun-Id: run-1',
  )
  assert.equal(asAgent(at.directory, 'status', '--porcelain'), '')
  assert.equal(asAgent(at.directory, 'rev-parse', 'HEAD'), delivered.commit)
  assert.equal(asAgent(at.directory, 'fsck', '--strict'), '')
  assert.deepEqual(
    events.filter(({ state }) => state !== 'progress').map(({ action, state }) => `${action} ${state}`),
    ['clone started', 'clone done', 'branch done', 'commit done', 'push started', 'push done'],
  )
})
