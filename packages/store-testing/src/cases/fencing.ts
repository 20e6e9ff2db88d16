import { FencedError, type Fence, type Store } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import {
  addRun,
  claim,
  claimed,
  endRun,
  fenceOf,
  getRun,
  getSession,
  noon,
  page,
  queueRun,
  startRun,
  text,
  texts,
  times,
} from '../fixtures.ts'
import { group } from '../harness.ts'

/** Nothing of a fenced write is kept. */
async function assertFenced(store: Store, fence: Fence): Promise<void> {
  const before = { log: await page(store, fence.sessionId), run: await store.getRun(fence.runId) }
  await assert.rejects(store.append(fence, [text('stale')], noon + 900, { progress: 99 }), FencedError)
  const after = { log: await page(store, fence.sessionId), run: await store.getRun(fence.runId) }
  assert.deepEqual(after, before)
}

export const fencing = group('a fence', {
  async 'keeps a former owner from writing'({ store }) {
    const former = await startRun(store, 'r1', 's1')
    const adopted = await store.adoptRun('r1', { ...claim, owner: 'gateway-b' })
    assert.ok(adopted)
    await assertFenced(store, former)
    await store.append(fenceOf(adopted), [text('fresh')], noon + 20)
    assert.deepEqual(texts(await page(store, 's1')), ['fresh'])
  },

  async 'keeps an owner that gave the run back from writing'({ store }) {
    const former = await startRun(store, 'r1', 's1')
    await store.requeueRun(former, noon + 20)
    await assertFenced(store, former)
    await assertFenced(store, { ...former, epoch: 0 })
    const next = await claimed(store, 'r1')
    await assertFenced(store, former)
    assert.ok(next.epoch > former.epoch)
  },

  async 'keeps everybody from writing to a run that has ended'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await endRun(store, fence)
    await assertFenced(store, fence)
    await assertFenced(store, { ...fence, epoch: fence.epoch + 1 })
  },

  async 'keeps the canceller of a queued run from writing once it has been claimed'({ store }) {
    await queueRun(store, 'r1', 's1')
    const seen = fenceOf(await getRun(store, 'r1'))
    await claimed(store, 'r1')
    await assertFenced(store, seen)
  },

  async 'with an epoch that has not come yet is refused'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await assertFenced(store, { ...fence, epoch: fence.epoch + 1 })
  },

  async 'fits one run of one session'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await startRun(store, 'r2', 's2')
    await assertFenced(store, { ...fence, sessionId: 's2' })
    await assert.rejects(store.append({ ...fence, runId: 'r9' }, [text('lost')], noon + 20), FencedError)
    assert.deepEqual(texts(await page(store, 's1')), [])
  },

  async 'is checked before a run goes back into the queue'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const before = await page(store, 's1')
    await assert.rejects(store.requeueRun({ ...fence, epoch: fence.epoch - 1 }, noon + 20), FencedError)
    assert.equal((await getRun(store, 'r1')).state, 'starting')
    await endRun(store, fence)
    await assert.rejects(store.requeueRun(fence, noon + 200), FencedError)
    assert.equal((await getRun(store, 'r1')).state, 'completed')
    assert.equal((await page(store, 's1')).length, before.length + 1)
  },

  async 'fails alone: the writes around it are kept'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const stale = { ...fence, epoch: 0 }
    const writes = times(20, (index) => store.append(index % 2 ? stale : fence, [text(`${index}`)], noon + 20))
    const results = await Promise.allSettled(writes)
    for (const [index, { status }] of results.entries()) assert.equal(status, index % 2 ? 'rejected' : 'fulfilled')
    const kept = texts(await page(store, 's1')).toSorted()
    assert.deepEqual(kept, times(10, (index) => `${index * 2}`).toSorted())
  },

  async 'goes to one of many that claim a run at once'({ store }) {
    await queueRun(store, 'r1', 's1')
    await addRun(store, 'r2', 's1')
    const claims = times(10, (index) => store.claimRun('r1', { ...claim, owner: `gateway-${index}` }))
    const won = (await Promise.all(claims)).filter((run) => run !== undefined)
    assert.equal(won.length, 1)
    const row = await getRun(store, 'r1')
    assert.deepEqual(won[0], row)
    assert.equal(row.attempts, 1)
    assert.equal((await getSession(store, 's1')).openRuns, 2)
  },
})
