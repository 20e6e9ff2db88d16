import assert from 'node:assert/strict'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { delivery, gitScene } from './scene.ts'

async function workspace(t: TestContext) {
  const scene = await gitScene(t)
  const source = { url: await scene.server.addRepository('demo', { 'a.txt': '1\n', '.gitignore': 'ignored\n' }) }
  const at = await scene.place()
  const repository = await scene.clone(source, at, scene.ctx(), scene.onGit)
  const deliver = async (more: Parameters<typeof delivery>[0] = { push: true }) =>
    await scene.git.deliver(repository, at, delivery(more), scene.ctx(), scene.onGit)
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(at.directory, name)), { recursive: true })
    await writeFile(path.join(at.directory, name), text)
  }
  const commits = async (): Promise<string> =>
    await scene.server.git('demo', 'log', '--format=%s', `main..${at.workBranch}`)
  return { ...scene, at, repository, deliver, write, commits }
}

test('where nothing was changed there is no commit and no push', async (t) => {
  const { deliver, repository, server, events, write } = await workspace(t)
  await write('ignored', 'x')
  const before = server.requests.length
  const { branch, baseCommit } = repository
  assert.deepEqual(await deliver({ push: true, pullRequest: {} }), { branch, baseCommit, pushed: false })
  assert.equal(server.requests.length, before)
  assert.deepEqual(
    events.filter(({ action }) => action !== 'clone' && action !== 'branch'),
    [],
  )
})

test('a delivery that is done again does nothing again', async (t) => {
  const { deliver, write, commits, events, server } = await workspace(t)
  await write('b.txt', '2')
  const first = await deliver({ push: false })
  assert.equal(first.pushed, false)
  const second = await deliver()
  const third = await deliver()
  assert.deepEqual(second, { ...first, pushed: true })
  assert.deepEqual(third, second)
  assert.equal(await commits(), 'Add a greeting')
  assert.equal(events.filter(({ action, state }) => action === 'push' && state === 'started').length, 1)
  assert.equal(server.requests.filter((line) => line.startsWith('POST') && line.includes('receive-pack')).length, 1)
})

test('commits of the agent stay, and what it did not commit comes on top', async (t) => {
  const { deliver, write, commits, asAgent, at } = await workspace(t)
  await write('b.txt', '2')
  asAgent(at.directory, 'add', '.')
  asAgent(at.directory, 'commit', '-qm', 'By the agent')
  await write('staged.txt', '3')
  asAgent(at.directory, 'add', '.')
  await write('c.txt', '4')
  const { commit } = await deliver()
  assert.equal(await commits(), 'Add a greeting\nBy the agent')
  assert.equal(asAgent(at.directory, 'rev-parse', 'HEAD'), commit)
  assert.equal(asAgent(at.directory, 'status', '--porcelain'), '')
})

test('commits of the agent alone are delivered as they are', async (t) => {
  const { deliver, write, commits, asAgent, at } = await workspace(t)
  await write('b.txt', '2')
  asAgent(at.directory, 'add', '.')
  asAgent(at.directory, 'commit', '-qm', 'By the agent')
  asAgent(at.directory, 'gc', '-q')
  const { commit } = await deliver()
  assert.equal(commit, asAgent(at.directory, 'rev-parse', 'HEAD'))
  assert.equal(await commits(), 'By the agent')
})

test('work on a branch of the agent that builds upon the work branch is delivered', async (t) => {
  const { deliver, write, commits, asAgent, at } = await workspace(t)
  asAgent(at.directory, 'checkout', '-qb', 'fix/it')
  await write('b.txt', '2')
  asAgent(at.directory, 'add', '.')
  asAgent(at.directory, 'commit', '-qm', 'Elsewhere')
  await write('c.txt', '3')
  const { commit } = await deliver()
  assert.equal(await commits(), 'Add a greeting\nElsewhere')
  assert.equal(asAgent(at.directory, 'rev-parse', at.workBranch), commit)
  assert.equal(asAgent(at.directory, 'branch', '--show-current'), at.workBranch)
})

test('what is not committed on a commit beside the work branch is kept and told', async (t) => {
  const { deliver, write, commits, asAgent, at, repository } = await workspace(t)
  await write('b.txt', '2')
  asAgent(at.directory, 'add', '.')
  asAgent(at.directory, 'commit', '-qm', 'By the agent')
  asAgent(at.directory, 'checkout', '-q', '--detach', repository.baseCommit)
  await write('a.txt', 'changed\n')
  await assert.rejects(deliver(), { code: 'WORKSPACE_ERROR', message: /not the work branch/ })
  assert.equal(await readFile(path.join(at.directory, 'a.txt'), 'utf8'), 'changed\n')
  asAgent(at.directory, 'checkout', '-q', '.')
  await deliver()
  assert.equal(await commits(), 'By the agent')
})

test('the second run of a session adds to the branch', async (t) => {
  const { deliver, write, commits } = await workspace(t)
  await write('b.txt', '2')
  await deliver()
  await write('c.txt', '3')
  await deliver({ push: true, runId: 'run-2', message: 'Add more\n\nCo-authored-by: A <a@example.com>' })
  assert.equal(await commits(), 'Add more\nAdd a greeting')
})

test('names of every kind, files that become directories, and modes', async (t) => {
  const { deliver, write, at, server, asAgent } = await workspace(t)
  await write('with space', '1')
  await write('new\nline', '2')
  await write('grüße/日本', '3')
  await write('-dash', '4')
  await writeFile(Buffer.concat([Buffer.from(`${at.directory}/latin-`), Buffer.from([0xe9])]), '5')
  await writeFile(path.join(at.directory, 'tool.sh'), '#!/bin/sh\n', { mode: 0o755 })
  await rm(path.join(at.directory, 'a.txt'))
  await write('a.txt/inside', '6')
  await deliver()
  const names = await server.git('demo', 'ls-tree', '-r', '--name-only', at.workBranch)
  for (const name of [
    'with space',
    '"new\\nline"',
    '-dash',
    'a.txt/inside',
    '"latin-\\351"',
    '"gr\\303\\274\\303\\237e/',
  ]) {
    assert.ok(names.includes(name), name)
  }
  assert.match(await server.git('demo', 'ls-tree', at.workBranch, 'tool.sh'), /^100755/)
  assert.equal(asAgent(at.directory, 'status', '--porcelain'), '')
})

test('flags in the index that hide changes hide nothing', async (t) => {
  const { deliver, write, at, server, asAgent } = await workspace(t)
  asAgent(at.directory, 'update-index', '--assume-unchanged', 'a.txt')
  await write('a.txt', 'changed')
  await deliver()
  assert.equal(await server.git('demo', 'show', `${at.workBranch}:a.txt`), 'changed')
})
