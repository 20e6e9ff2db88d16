import assert from 'node:assert/strict'
import { access, chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { GatewayError } from '@opencode-gateway/contracts'
import { createGit, type Git } from '../../src/index.ts'
import { goodRefs, goodUrls, hostileRefs, hostileUrls } from './hostile-sources.ts'
import { gitScene, PATH } from './scene.ts'

/** A Git that hosts with public addresses may be named to, whose `git` and name lookups leave a trace. */
async function watched(t: TestContext, addresses: readonly string[] = ['8.8.8.8']) {
  const scene = await gitScene(t)
  const programs = path.join(scene.root, 'bin')
  const ran = path.join(scene.root, 'git-ran')
  await mkdir(programs)
  await writeFile(path.join(programs, 'git'), `#!/bin/sh\necho "$@" >>'${ran}'\nexit 1\n`)
  await chmod(path.join(programs, 'git'), 0o755)
  const looked: string[] = []
  const git: Git = createGit({
    cacheDirectory: scene.cacheDirectory,
    path: `${programs}:${PATH}`,
    credentials: new Map(),
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000 },
    resolve: async (host) => {
      looked.push(host)
      return addresses
    },
  })
  const didRun = async (): Promise<boolean> =>
    await access(ran).then(
      () => true,
      () => false,
    )
  return { ...scene, git, clone: git.fill, looked, didRun }
}

function isRefusal(error: unknown): boolean {
  assert.ok(error instanceof GatewayError)
  assert.equal(error.code, 'REPOSITORY_REFUSED')
  return true
}

test(`${hostileUrls.length + hostileRefs.length} hostile addresses and names are refused before anything starts`, async (t) => {
  const { git, looked, didRun, server, ctx, onGit, place, clone } = await watched(t)
  const at = await place()
  assert.ok(hostileUrls.length + hostileRefs.length >= 100)
  for (const url of hostileUrls) {
    assert.throws(() => git.check({ url }), isRefusal, JSON.stringify(url))
    const source = { url }
    await assert.rejects(clone(source, at, ctx(), onGit), isRefusal, JSON.stringify(url))
  }
  for (const name of hostileRefs) {
    const source = { url: 'https://git.example.com/o/r', branch: name }
    assert.throws(() => git.check(source), isRefusal, JSON.stringify(name))
    assert.throws(() => git.check({ url: source.url, workBranch: name }), isRefusal, JSON.stringify(name))
    await assert.rejects(clone(source, at, ctx(), onGit), isRefusal, JSON.stringify(name))
  }
  assert.deepEqual(looked, [])
  assert.equal(await didRun(), false)
  assert.deepEqual(server.requests, [])
  assert.deepEqual(await readdir(at.directory), [])
  const good = { url: 'https://git.example.com/o/r' }
  await assert.rejects(clone(good, at, ctx(), onGit), { code: 'CLONE_FAILED' })
  assert.equal(await didRun(), true, 'a git that runs leaves a trace')
})

test('what is refused is not repeated in the error: it may hold a secret', async (t) => {
  const { git } = await watched(t)
  assert.throws(
    () => git.check({ url: 'https://user:canary-4711@git.example.com/o/r' }),
    (error) => error instanceof GatewayError && !JSON.stringify([error.message, error.details]).includes('canary'),
  )
})

test('usual addresses and names pass', async (t) => {
  const { git } = await watched(t)
  for (const url of goodUrls) assert.doesNotThrow(() => git.check({ url }), url)
  for (const branch of goodRefs)
    assert.doesNotThrow(() => git.check({ url: goodUrls[0] ?? '', branch, workBranch: branch }), branch)
})

for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', '::ffff:10.0.0.1', 'fd00::1', 'fe80::1']) {
  test(`a public name with the address ${address} is refused, also when its other addresses are public`, async (t) => {
    const { didRun, ctx, onGit, place, clone } = await watched(t, ['8.8.8.8', address])
    const source = { url: 'https://rebound.example.com/o/r' }
    await assert.rejects(clone(source, await place(), ctx(), onGit), isRefusal)
    assert.equal(await didRun(), false)
  })
}

test('a name is looked up once, and git connects to what was found', async (t) => {
  const scene = await gitScene(t)
  const url = (await scene.server.addRepository('demo', { a: '1' })).replace('127.0.0.1', 'git.example.com')
  const port = new URL(scene.server.url).port
  const looked: string[] = []
  const { fill: clone } = createGit({
    cacheDirectory: scene.cacheDirectory,
    path: PATH,
    allowedHosts: [`git.example.com:${port}`],
    credentials: new Map(),
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000 },
    resolve: async (host) => {
      looked.push(host)
      return ['127.0.0.1']
    },
  })
  const source = { url }
  await clone(source, await scene.place(), scene.ctx(), scene.onGit)
  assert.deepEqual(looked, ['git.example.com'])
})

test('with a list of hosts, no other may be named, nor another port', async (t) => {
  const { git, server } = await gitScene(t)
  assert.doesNotThrow(() => git.check({ url: `${server.url}/demo.git` }))
  for (const url of [
    'https://github.com/o/r',
    'http://127.0.0.1:1/demo.git',
    'http://127.0.0.1/demo.git',
    'http://localhost/demo.git',
  ]) {
    assert.throws(() => git.check({ url }), isRefusal, url)
  }
})

test('a redirect is not followed, to whatever host it leads', async (t) => {
  const { server, ctx, onGit, place, clone } = await gitScene(t)
  const inside = await gitScene(t)
  await inside.server.addRepository('demo', { secret: 'inside' })
  const source = { url: `${server.url}/demo.git` }
  for (const [name, location] of [
    ['one', `${inside.server.url}/demo.git/info/refs?service=git-upload-pack`],
    ['two', `${server.url}/other.git/info/refs?service=git-upload-pack`],
  ] as const) {
    server.redirect(/demo/, location)
    const at = await place(name)
    await assert.rejects(clone(source, at, ctx(), onGit), isRefusal)
    assert.deepEqual(await readdir(at.directory), [])
  }
  assert.deepEqual(inside.server.requests, [])
  assert.ok(server.requests.every((line) => !line.includes('other')))
})
