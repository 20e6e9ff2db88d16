import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { delivery, gitScene } from './scene.ts'

async function changed(t: TestContext) {
  const scene = await gitScene(t)
  const source = { url: await scene.server.addRepository('demo', { 'a.txt': '1\n' }) }
  const at = await scene.place()
  const repository = await scene.clone(source, at, scene.ctx(), scene.onGit)
  await writeFile(path.join(at.directory, 'b.txt'), '2')
  const deliver = async (signal?: AbortSignal) =>
    await scene.git.deliver(repository, at, delivery({ push: true }), scene.ctx(signal), scene.onGit)
  const isKept = async (): Promise<boolean> =>
    scene.asAgent(at.directory, 'log', '-1', '--format=%s', at.workBranch) === 'Add a greeting' &&
    (await readFile(path.join(at.directory, 'b.txt'), 'utf8')) === '2'
  return { ...scene, at, deliver, isKept }
}

test('a branch that moved on at the remote is PUSH_REJECTED; the work is kept', async (t) => {
  const { server, at, deliver, isKept, events } = await changed(t)
  const theirs = await server.commit('demo', at.workBranch, { c: '3' })
  await assert.rejects(deliver(), { code: 'PUSH_REJECTED', retryable: false, message: /another work branch/ })
  assert.equal(await server.git('demo', 'rev-parse', at.workBranch), theirs)
  assert.ok(await isKept())
  assert.deepEqual(events.at(-1)?.state, 'failed')
})

test('a branch that is protected is PUSH_REJECTED with the words of the remote; the work is kept', async (t) => {
  const { server, deliver, isKept } = await changed(t)
  const hook = path.join(server.directoryOf('demo'), 'hooks', 'pre-receive')
  await mkdir(path.dirname(hook), { recursive: true })
  await writeFile(hook, '#!/bin/sh\necho "GH006: Protected branch update failed" >&2\nexit 1\n')
  await chmod(hook, 0o755)
  await assert.rejects(deliver(), { code: 'PUSH_REJECTED', retryable: false, message: /protected.*GH006/ })
  assert.ok(await isKept())
})

test('a remote that went away is PUSH_REJECTED and may be tried again; the work is kept', async (t) => {
  const { server, deliver, isKept } = await changed(t)
  await server.close()
  await assert.rejects(deliver(), { code: 'PUSH_REJECTED', retryable: true })
  assert.ok(await isKept())
})

test('a remote that wants credentials is REPOSITORY_AUTH; the work is kept', async (t) => {
  const { server, deliver, isKept } = await changed(t)
  server.requireAuth({ username: 'u', password: 'p' })
  await assert.rejects(deliver(), { code: 'REPOSITORY_AUTH' })
  assert.ok(await isKept())
})

test('a push that is stopped leaves no git directory behind, and the next one goes through', async (t) => {
  const { server, deliver, isKept, cacheDirectory, at } = await changed(t)
  const stall = server.stall(/POST .*git-receive-pack/, 0)
  const stop = new AbortController()
  const delivering = deliver(stop.signal)
  await stall.reached
  stop.abort()
  await assert.rejects(delivering, { name: 'AbortError' })
  assert.deepEqual(await readdir(path.join(cacheDirectory, 'drafts')), [])
  assert.ok(await isKept())
  stall.release()
  const { commit } = await deliver()
  assert.equal(await server.git('demo', 'rev-parse', at.workBranch), commit)
})
