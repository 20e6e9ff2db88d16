import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { MirrorLimits } from '../../src/git/mirror-trim.ts'
import { createUses } from '../../src/git/uses.ts'
import { createGit } from '../../src/index.ts'
import { delivery, gitScene, PATH } from './scene.ts'

const HOUR = 3_600_000

/** Repositories of 100 kB each, and a Git with bounds for its mirrors. */
async function trimScene(t: TestContext, mirrors: MirrorLimits) {
  const scene = await gitScene(t)
  const { server, cacheDirectory, ctx, onGit, place } = scene
  const git = createGit({
    cacheDirectory,
    path: PATH,
    allowedHosts: [server.host],
    credentials: new Map(),
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1e9, mirrors },
  })
  const urls = new Map<string, string>()
  for (const name of ['a', 'b', 'c']) {
    urls.set(name, await server.addRepository(name, { 'x.bin': randomBytes(100_000) }))
  }
  const root = path.join(cacheDirectory, 'mirrors')
  let clones = 0
  const clone = async (name: string, signal?: AbortSignal) => {
    const at = await place(`clone-${(clones += 1)}`)
    return { at, repository: await git.fill({ url: urls.get(name) ?? '' }, at, ctx(signal), onGit) }
  }
  const kept = async () => (await readdir(root)).toSorted()
  /** Makes a mirror one that was used last so long ago; its name. */
  const age = async (known: readonly string[], hours: number) => {
    const name = (await kept()).find((name) => !known.includes(name)) ?? assert.fail()
    const then = new Date(Date.now() - hours * HOUR)
    await utimes(path.join(root, name, 'HEAD'), then, then)
    return name
  }
  return { ...scene, git, clone, kept, age }
}

test('mirrors that were not used for the longest time go first, until the rest is within the bound', async (t) => {
  const { clone, kept, age } = await trimScene(t, { maxBytes: 250_000, maxAgeMs: 1000 * HOUR })
  await clone('a')
  const a = await age([], 3)
  await clone('b')
  const b = await age([a], 2)
  // Used again: now the other one is the one to go.
  await clone('a')
  await clone('c')
  const left = await kept()
  assert.equal(left.length, 2)
  assert.ok(left.includes(a) && !left.includes(b))
})

test('a mirror that nobody has used for too long goes, whatever its size', async (t) => {
  const { clone, kept, age } = await trimScene(t, { maxBytes: 1e12, maxAgeMs: HOUR })
  await clone('a')
  await age([], 2)
  await clone('b')
  assert.equal((await kept()).length, 1)
})

test('work goes out again when its mirror is gone, and the next clone makes another one', async (t) => {
  const { server, git, clone, kept, ctx, onGit } = await trimScene(t, { maxBytes: 0, maxAgeMs: HOUR })
  const { at, repository } = await clone('a')
  assert.deepEqual(await kept(), [])
  await writeFile(path.join(at.directory, 'new.txt'), 'new')
  const { commit } = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(commit, await server.git('a', 'rev-parse', at.workBranch))
  assert.equal((await clone('a')).repository.baseCommit, repository.baseCommit)
})

test('a mirror that is in use stays, however old it is', async (t) => {
  const { server, git, clone, kept, age, ctx, onGit } = await trimScene(t, { maxBytes: 1e12, maxAgeMs: HOUR })
  const { at, repository } = await clone('a')
  await writeFile(path.join(at.directory, 'new.txt'), 'new')
  const a = await age([], 2)
  const stall = server.stall(/GET \/a.git\/info\/refs/, 0)
  const delivered = git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  await stall.reached
  await clone('b')
  assert.ok((await kept()).includes(a))
  stall.release()
  assert.equal((await delivered).pushed, true)
  await clone('b')
  assert.ok(!(await kept()).includes(a))
})

test('ten clones at once under a bound of nothing all succeed', async (t) => {
  const { clone, kept } = await trimScene(t, { maxBytes: 0, maxAgeMs: HOUR })
  const names = Array.from({ length: 10 }, (_, index) => ['a', 'b', 'c'][index % 3] ?? 'a')
  await Promise.all(names.map(async (name) => await clone(name)))
  assert.deepEqual(await kept(), [])
})

test('nothing in use is removed, and who comes during a removal waits for its end', async () => {
  const uses = createUses()
  const use = await uses.begin('a')
  assert.equal(await uses.remove('a', async () => assert.fail()), false)
  use[Symbol.dispose]()
  use[Symbol.dispose]()
  const removal = Promise.withResolvers<void>()
  const order: string[] = []
  const removed = uses.remove('a', async () => {
    await removal.promise
    order.push('removed')
  })
  const begun = uses.begin('a').then((use) => (order.push('begun'), use))
  assert.equal(await uses.remove('a', async () => assert.fail()), false)
  removal.resolve()
  assert.equal(await removed, true)
  await begun
  assert.deepEqual(order, ['removed', 'begun'])
  assert.equal(uses.isUsed('a'), true)
})
