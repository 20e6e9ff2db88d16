import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { delivery, gitScene } from './scene.ts'

async function deepScene(t: TestContext) {
  const scene = await gitScene(t)
  const url = await scene.server.addRepository('demo', { 'a.txt': '1' })
  for (const text of ['2', '3', '4']) await scene.server.commit('demo', 'main', { 'a.txt': text })
  await scene.server.commit('demo', 'other', { 'b.txt': 'b' })
  const count = (directory: string) => scene.asAgent(directory, 'rev-list', '--count', '--all')
  return { ...scene, url, count }
}

test('with a depth so many commits of the branch come in, and work goes out on top of them', async (t) => {
  const { server, git, url, place, ctx, onGit, count, asAgent } = await deepScene(t)
  const base = await server.git('demo', 'rev-parse', 'main')
  for (const depth of [1, 2, 100]) {
    const at = await place(`d${depth}`)
    const repository = await git.fill({ url, depth }, at, ctx(), onGit)
    assert.equal(repository.baseCommit, base)
    assert.equal(repository.depth, depth)
    assert.equal(count(at.directory), String(Math.min(depth, 4)))
    assert.equal(asAgent(at.directory, 'fsck', '--connectivity-only', '--no-dangling'), '')
    assert.equal(asAgent(at.directory, 'branch', '--all', '--list', '*other'), '')
    asAgent(at.directory, 'commit', '--allow-empty', '-qm', 'Of the agent')
    await writeFile(path.join(at.directory, 'new.txt'), 'new')
    const { commit } = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
    assert.equal(commit, await server.git('demo', 'rev-parse', at.workBranch))
    assert.equal(await server.git('demo', 'rev-list', '--count', `${base}..${at.workBranch}`), '2')
    assert.equal(await server.git('demo', 'rev-list', '--count', at.workBranch), '6')
  }
})

test('a copy that is cut off is not what a clone without a depth gets, and the other way round', async (t) => {
  const { git, url, place, ctx, onGit, count } = await deepScene(t)
  const counts: string[] = []
  for (const [name, depth] of [
    ['a', 1],
    ['b', undefined],
    ['c', 1],
    ['d', 2],
  ] as const) {
    const at = await place(name)
    await git.fill(depth === undefined ? { url } : { url, depth }, at, ctx(), onGit)
    counts.push(count(at.directory))
  }
  assert.deepEqual(counts, ['1', '5', '1', '2'])
})

test('a copy that is cut off keeps up with its branches', async (t) => {
  const { server, git, url, place, ctx, onGit, count, asAgent } = await deepScene(t)
  await git.fill({ url, depth: 2 }, await place('first'), ctx(), onGit)
  for (const text of ['5', '6', '7']) await server.commit('demo', 'main', { 'a.txt': text })
  const second = await place('second')
  const { baseCommit } = await git.fill({ url, depth: 2 }, second, ctx(), onGit)
  assert.equal(baseCommit, await server.git('demo', 'rev-parse', 'main'))
  assert.equal(asAgent(second.directory, 'rev-list', '--count', 'HEAD'), '2')
  const third = await place('third')
  await git.fill({ url, depth: 2, branch: 'other' }, third, ctx(), onGit)
  assert.equal(asAgent(third.directory, 'rev-list', '--count', 'HEAD'), '2')
  assert.ok(Number(count(third.directory)) >= 2)
  assert.equal(asAgent(third.directory, 'fsck', '--connectivity-only', '--no-dangling'), '')
})

test('work goes out of a workspace that is cut off when its mirror is gone', async (t) => {
  const { server, git, url, place, ctx, onGit, cacheDirectory } = await deepScene(t)
  const at = await place()
  const repository = await git.fill({ url, depth: 1 }, at, ctx(), onGit)
  await rm(path.join(cacheDirectory, 'mirrors'), { recursive: true })
  await writeFile(path.join(at.directory, 'new.txt'), 'new')
  const { commit } = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(commit, await server.git('demo', 'rev-parse', at.workBranch))
})

test('an agent that breaks the list of where the history ends keeps its work', async (t) => {
  const { git, url, place, ctx, onGit } = await deepScene(t)
  const at = await place()
  const repository = await git.fill({ url, depth: 1 }, at, ctx(), onGit)
  await writeFile(path.join(at.directory, '.git', 'shallow'), '../../etc\n')
  await writeFile(path.join(at.directory, 'new.txt'), 'new')
  await assert.rejects(git.deliver(repository, at, delivery({ push: true }), ctx(), onGit), { code: 'WORKSPACE_ERROR' })
  assert.equal(await readFile(path.join(at.directory, 'new.txt'), 'utf8'), 'new')
})
