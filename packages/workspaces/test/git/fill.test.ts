import assert from 'node:assert/strict'
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import { delivery, gitScene } from './scene.ts'

test('a second clone does not fetch what is there, sees what is new, and does not depend on the first', async (t) => {
  const { server, place, ctx, onGit, asAgent, cacheDirectory, clone } = await gitScene(t)
  const source = { url: await server.addRepository('demo', { a: '1\n' }) }
  await clone(source, await place('one'), ctx(), onGit)
  const before = server.requests.length
  const two = await place('two')
  await clone(source, two, ctx(), onGit)
  // Discovery and its listing: asked each time, for that is what shows that the caller may read it.
  assert.equal(server.requests.length - before, 2)

  const newer = await server.commit('demo', 'main', { b: '2\n' })
  const three = await place('three')
  assert.equal((await clone(source, three, ctx(), onGit)).baseCommit, newer)
  assert.equal(await readFile(path.join(three.directory, 'b'), 'utf8'), '2\n')

  await assert.rejects(access(path.join(two.directory, '.git', 'objects', 'info', 'alternates')))
  const config = await readFile(path.join(two.directory, '.git', 'config'), 'utf8')
  assert.ok(config.includes(source.url) && !config.includes(cacheDirectory))
  assert.equal(asAgent(two.directory, 'log', '--format=%s', 'origin/main'), 'Begin')
  assert.equal(asAgent(two.directory, 'rev-parse', '--abbrev-ref', 'origin/HEAD'), 'origin/main')
})

test('clones of one repository at the same time fetch it once', async (t) => {
  const { server, place, ctx, onGit, clone } = await gitScene(t)
  const source = { url: await server.addRepository('demo', { a: '1\n' }) }
  const places = await Promise.all(['1', '2', '3', '4', '5'].map(async (name) => await place(name)))
  await Promise.all(places.map(async (at) => await clone(source, at, ctx(), onGit)))
  for (const { directory } of places) assert.deepEqual((await readdir(directory)).sort(), ['.git', 'a'])
  // Five times a discovery and a listing; one fetch is another discovery, a listing and the objects.
  assert.equal(server.requests.length, 5 * 2 + 3)
})

test('the branch to begin with, and the same branch to work on', async (t) => {
  const { server, git, place, ctx, onGit, asAgent, clone } = await gitScene(t)
  const url = await server.addRepository('demo', { a: '1\n' })
  const commit = await server.commit('demo', 'release/1.x', { b: '2\n' })
  const source = { url, branch: 'release/1.x' }
  const at = { directory: (await place()).directory, workBranch: 'release/1.x' }
  const repository = await clone(source, at, ctx(), onGit)
  assert.deepEqual(repository, { url, branch: 'release/1.x', baseBranch: 'release/1.x', baseCommit: commit })
  await writeFile(path.join(at.directory, 'c'), '3')
  const delivered = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(delivered.commit, await server.git('demo', 'rev-parse', 'release/1.x'))
  assert.equal(asAgent(at.directory, 'status', '--porcelain'), '')
})

for (const [what, code, prepare, more] of [
  ['a missing repository', 'REPOSITORY_NOT_FOUND', async () => undefined, {}],
  [
    'a missing branch',
    'BRANCH_NOT_FOUND',
    async (server) => await server.addRepository('demo', { a: '1' }),
    { branch: 'gone' },
  ],
  ['a repository without a commit', 'REPOSITORY_EMPTY', async (server) => await server.addRepository('demo'), {}],
  [
    'a detached HEAD',
    'BRANCH_NOT_FOUND',
    async (server) => {
      await server.addRepository('demo', { a: '1' })
      await server.git('demo', 'update-ref', '--no-deref', 'HEAD', await server.git('demo', 'rev-parse', 'main'))
    },
    {},
  ],
  [
    'credentials that are asked for and not there',
    'REPOSITORY_AUTH',
    async (server) => server.requireAuth({ username: 'u', password: 'p' }),
    {},
  ],
] as const satisfies readonly (readonly [
  string,
  string,
  (server: Awaited<ReturnType<typeof gitScene>>['server']) => Promise<unknown>,
  { branch?: string },
])[]) {
  test(`${what} is ${code}, told as an event, and leaves nothing`, async (t) => {
    const { server, place, ctx, events, onGit, cacheDirectory, clone } = await gitScene(t)
    await prepare(server)
    const at = await place()
    const source = { url: `${server.url}/demo.git`, ...more }
    await assert.rejects(clone(source, at, ctx(), onGit), { name: 'ExecutorError', code })
    assert.deepEqual(await readdir(at.directory), [])
    assert.deepEqual(await readdir(path.join(cacheDirectory, 'mirrors')).catch(() => []), [])
    assert.equal(events.at(-1)?.state, 'failed')
    assert.ok(events.at(-1)?.message)
  })
}

test('an unreachable host is CLONE_FAILED and may be tried again', async (t) => {
  const { server, place, ctx, onGit, clone } = await gitScene(t)
  const source = { url: `${server.url}/demo.git` }
  await server.close()
  await assert.rejects(clone(source, await place(), ctx(), onGit), { code: 'CLONE_FAILED', retryable: true })
})

const large = { 'large.bin': randomBytes(1_000_000) }

test('a clone that is stopped half-way leaves nothing, and the next one works', async (t) => {
  const { server, place, ctx, onGit, cacheDirectory, clone } = await gitScene(t)
  const source = { url: await server.addRepository('demo', large) }
  const stall = server.stall(/POST .*git-upload-pack/, 200_000)
  const stop = new AbortController()
  const at = await place()
  const filling = clone(source, at, ctx(stop.signal), onGit)
  await stall.reached
  const reason = new Error('no more')
  stop.abort(reason)
  await assert.rejects(filling, reason)
  assert.deepEqual(await readdir(at.directory), [])
  for (const folder of ['mirrors', 'locks', 'home'])
    assert.deepEqual(await readdir(path.join(cacheDirectory, folder)), [])
  stall.release()
  await clone(source, at, ctx(), onGit)
  assert.deepEqual((await readFile(path.join(at.directory, 'large.bin'))).equals(large['large.bin']), true)
})

test('a fetch into a mirror that is stopped half-way does not break the next', async (t) => {
  const { server, place, ctx, onGit, cacheDirectory, clone } = await gitScene(t)
  const source = { url: await server.addRepository('demo', { a: '1' }) }
  await clone(source, await place('one'), ctx(), onGit)
  await server.commit('demo', 'main', large)
  const stall = server.stall(/POST .*git-upload-pack/, 200_000)
  const stop = new AbortController()
  const at = await place('two')
  const filling = clone(source, at, ctx(stop.signal), onGit)
  await stall.reached
  stop.abort()
  await assert.rejects(filling, { name: 'AbortError' })
  stall.release()
  // As a git that was killed together with the gateway leaves them.
  const [mirror = ''] = await readdir(path.join(cacheDirectory, 'mirrors'))
  const inMirror = path.join(cacheDirectory, 'mirrors', mirror)
  await writeFile(path.join(inMirror, 'packed-refs.lock'), '')
  await writeFile(path.join(inMirror, 'objects', 'pack', 'tmp_pack_abc'), 'half')
  await mkdir(path.join(cacheDirectory, 'locks'), { recursive: true })
  await writeFile(path.join(cacheDirectory, 'locks', `${mirror}.lock`), '999999999 1')
  await clone(source, at, ctx(), onGit)
  assert.deepEqual((await readdir(at.directory)).sort(), ['.git', 'a', 'large.bin'])
  assert.ok((await readdir(path.join(inMirror, 'objects', 'pack'))).every((name) => name.startsWith('pack-')))
})

test('who waits for a clone of the same repository may leave, and the clone goes on', async (t) => {
  const { server, place, ctx, onGit, clone } = await gitScene(t)
  const source = { url: await server.addRepository('demo', large) }
  const stall = server.stall(/POST .*git-upload-pack/, 200_000)
  const first = clone(source, await place('one'), ctx(), onGit)
  await stall.reached
  const stop = new AbortController()
  const asked = server.requests.length
  const second = clone(source, await place('two'), ctx(stop.signal), onGit)
  // It has looked at the remote, and is at the lock or on the way to it.
  while (server.requests.length < asked + 2) await setImmediate()
  stop.abort()
  await assert.rejects(second, { name: 'AbortError' })
  stall.release()
  await first
  await clone(source, await place('three'), ctx(), onGit)
})

test('a clone that takes too long is CLONE_FAILED and leaves nothing', async (t) => {
  const limits = { cloneTimeoutMs: 1_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 }
  const { server, place, ctx, onGit, clone } = await gitScene(t, { limits })
  const source = { url: await server.addRepository('demo', large) }
  server.stall(/POST .*git-upload-pack/, 0)
  const at = await place()
  await assert.rejects(clone(source, at, ctx(), onGit), { code: 'CLONE_FAILED', message: /1000 ms/ })
  assert.deepEqual(await readdir(at.directory), [])
})

for (const [what, files] of [
  ['whose objects are', large],
  ['that unpacks to what is', { 'zeros.bin': Buffer.alloc(3_000_000) }],
] as const) {
  test(`a repository ${what} larger than the limit is WORKSPACE_FULL and leaves nothing`, async (t) => {
    const limits = { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 500_000 }
    const { server, place, ctx, onGit, clone } = await gitScene(t, { limits })
    const source = { url: await server.addRepository('demo', files) }
    const at = await place()
    await assert.rejects(clone(source, at, ctx(), onGit), { code: 'WORKSPACE_FULL' })
    assert.deepEqual(await readdir(at.directory), [])
  })
}

test('a directory that is not empty is left as it is', async (t) => {
  const { server, place, ctx, onGit, clone } = await gitScene(t)
  const source = { url: await server.addRepository('demo', { a: '1' }) }
  const at = await place()
  await writeFile(path.join(at.directory, 'mine'), '')
  await assert.rejects(clone(source, at, ctx(), onGit), { code: 'WORKSPACE_ERROR' })
  assert.deepEqual(await readdir(at.directory), ['mine'])
})

test('file:// is for those who allow it', async (t) => {
  const { server, git, place, ctx, onGit, clone } = await gitScene(t, { allowFile: true })
  await server.addRepository('demo', { a: '1' })
  const at = await place()
  const source = { url: `file://${server.directoryOf('demo')}` }
  const repository = await clone(source, at, ctx(), onGit)
  await writeFile(path.join(at.directory, 'b'), '2')
  const delivered = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(delivered.commit, await server.git('demo', 'rev-parse', at.workBranch))
})
