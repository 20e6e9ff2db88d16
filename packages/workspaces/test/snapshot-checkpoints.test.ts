import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { assertNoWork, snapshotPlace, treeOf, type SnapshotPlace } from './snapshot-place.ts'

const after = (place: SnapshotPlace, runId: string, max = 20) =>
  place.snapshots.checkpoint(place, runId, max, AbortSignal.timeout(30_000))

const nameOf = (place: SnapshotPlace, runId: string) => place.snapshots.checkpointOf(place, runId)

const contentBytes = async (place: SnapshotPlace): Promise<number> =>
  (await stat(path.join(place.aside, 'snapshots/contents'))).size

test('what a run left is told apart from what came later, and can be come back to', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'one', 'b.txt': 'one' })
  await place.take()
  await place.write({ 'a.txt': 'two', 'new.txt': 'n' })
  await after(place, 'first')
  await place.write({ 'a.txt': 'three' })
  await place.remove('b.txt')
  await after(place, 'second')
  assert.deepEqual(await place.statuses({ from: await nameOf(place, 'first') }), ['M a.txt', 'D b.txt'])
  assert.deepEqual(await place.statuses({ from: await nameOf(place, 'second') }), [])
  await place.reset(await nameOf(place, 'first'))
  assert.deepEqual(await treeOf(place.directory), ['a.txt file two', 'b.txt file one', 'new.txt file n'])
  await place.reset(await nameOf(place, 'second'))
  assert.deepEqual(await treeOf(place.directory), ['a.txt file three', 'new.txt file n'])
  await assertNoWork(place)
})

test('a run that changed nothing keeps nothing of its own, and can be named all the same', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'one' })
  await place.take()
  const bytes = await contentBytes(place)
  for (const run of ['first', 'second']) await after(place, run)
  assert.equal(await contentBytes(place), bytes)
  const list = async (name: string) => await stat(path.join(place.aside, 'snapshots', `${name}.list`))
  assert.equal((await list(await nameOf(place, 'second'))).ino, (await list('start')).ino)
  await place.write({ 'a.txt': 'two' })
  assert.deepEqual(await place.statuses({ from: await nameOf(place, 'second') }), ['M a.txt'])
})

test('where the workspace began empty, what the first run left is remembered too', async (t) => {
  const place = await snapshotPlace(t)
  await after(place, 'nothing')
  await place.write({ 'a.txt': 'a' })
  await after(place, 'first')
  await place.write({ 'a.txt': 'b' })
  await place.reset(await nameOf(place, 'first'))
  assert.deepEqual(await treeOf(place.directory), ['a.txt file a'])
  await place.reset(await nameOf(place, 'nothing'))
  assert.deepEqual(await treeOf(place.directory), [])
})

test('only the newest are remembered', async (t) => {
  const place = await snapshotPlace(t)
  for (const run of ['r1', 'r2', 'r3', 'r4']) {
    await place.write({ 'a.txt': run })
    await after(place, run, 2)
  }
  await after(place, 'r4', 2)
  for (const run of ['r1', 'r2', 'never']) await assert.rejects(nameOf(place, run), { code: 'SNAPSHOT_NOT_FOUND' })
  for (const run of ['r3', 'r4']) {
    await place.reset(await nameOf(place, run))
    assert.deepEqual(await treeOf(place.directory), [`a.txt file ${run}`])
  }
  assert.equal((await readdir(path.join(place.aside, 'snapshots'))).length, 3)
})

test('when what runs left is too much the older ones are given up, and never the start', async (t) => {
  const place = await snapshotPlace(t, { maxKeptBytes: 1000 })
  await place.write({ 'a.txt': 's'.repeat(800) })
  await place.take()
  for (const [index, run] of ['r1', 'r2', 'r3'].entries()) {
    await place.write({ 'a.txt': String(index).repeat(600) })
    await after(place, run)
  }
  assert.equal(await contentBytes(place), 800 + 600, 'the contents of the first two are gone')
  await assert.rejects(nameOf(place, 'r2'), { code: 'SNAPSHOT_NOT_FOUND' })
  await place.reset(await nameOf(place, 'r3'))
  assert.deepEqual(await treeOf(place.directory), [`a.txt file ${'2'.repeat(600)}`])
  await place.reset()
  assert.deepEqual(await treeOf(place.directory), [`a.txt file ${'s'.repeat(800)}`])
})
