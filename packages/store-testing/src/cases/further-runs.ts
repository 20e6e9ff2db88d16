import assert from 'node:assert/strict'
import { addRun, endRun, getSession, noon, page, queueRun, roomy, run, session, startRun, times } from '../fixtures.ts'
import { group } from '../harness.ts'

const queue = { ...roomy, rejectWhenBusy: false }
const reject = { ...roomy, rejectWhenBusy: true }

export const furtherRuns = group('a further run', {
  async 'waits behind the others and is not shown before them'({ store }) {
    await startRun(store, 'r1', 's1')
    const row = await addRun(store, 'r2', 's1')
    assert.equal(row.state, 'queued')
    assert.deepEqual(await store.getRun('r2'), row)
    const { currentRunId, openRuns } = await getSession(store, 's1')
    assert.deepEqual({ currentRunId, openRuns }, { currentRunId: 'r1', openRuns: 2 })
    const { type, data, runId } = (await page(store, 's1')).at(-1) ?? {}
    assert.deepEqual({ type, data, runId }, { type: 'status', data: { status: 'pending' }, runId: 'r2' })
  },

  async 'needs a session of its tenant'({ store }) {
    await queueRun(store, 'r1', 's1')
    assert.deepEqual(await store.addRun(run('r2', 's9'), queue), { status: 'not_found' })
    assert.deepEqual(await store.addRun(run('r2', 's1', { tenant: 'other' }), queue), { status: 'not_found' })
    assert.equal((await getSession(store, 's1')).openRuns, 1)
  },

  async 'is refused by a session that is closed'({ store }) {
    await store.createSession(session('s1'), undefined, roomy)
    await store.closeSession('s1', noon + 10)
    assert.deepEqual(await store.addRun(run('r2', 's1'), queue), { status: 'closed' })
    assert.deepEqual(await page(store, 's1'), [])
  },

  async 'that will not wait learns which run is at work'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await addRun(store, 'r2', 's1')
    assert.deepEqual(await store.addRun(run('r3', 's1'), reject), { status: 'busy', runId: 'r1' })
    await endRun(store, fence)
    assert.deepEqual(await store.addRun(run('r3', 's1'), reject), { status: 'busy', runId: 'r2' })
  },

  async 'that will not wait gets in once when many try at once'({ store }) {
    await store.createSession(session('s1'), undefined, roomy)
    const results = await Promise.all(times(20, (index) => store.addRun(run(`r${index}`, 's1'), reject)))
    assert.equal(results.filter(({ status }) => status === 'created').length, 1)
    assert.equal(results.filter(({ status }) => status === 'busy').length, 19)
  },

  async 'is taken when it finds a free slot'({ store }) {
    await store.createSession(session('s1'), undefined, roomy)
    const narrow = { maxQueued: 0, slots: 1, rejectWhenBusy: false }
    assert.equal((await store.addRun(run('r1', 's1'), narrow)).status, 'created')
    assert.deepEqual(await store.addRun(run('r2', 's1'), narrow), { status: 'queue_full', queued: 1 })
  },

  async 'is refused when the queue is full'({ store }) {
    await queueRun(store, 'r1', 's1')
    const result = await store.addRun(run('r2', 's1'), { maxQueued: 1, rejectWhenBusy: false })
    assert.deepEqual(result, { status: 'queue_full', queued: 1 })
    assert.equal(await store.getRun('r2'), undefined)
    assert.equal((await page(store, 's1')).length, 1)
  },

  async 'is refused when as many of its session wait as may, whatever room there is for others'({ store }) {
    const narrow = { ...roomy, maxQueuedOfSession: 1, rejectWhenBusy: false }
    await startRun(store, 'r1', 's1')
    assert.equal((await store.addRun(run('r2', 's1'), narrow)).status, 'created')
    assert.deepEqual(await store.addRun(run('r3', 's1'), narrow), { status: 'queue_full', queued: 1, of: 'session' })
    assert.equal(await store.getRun('r3'), undefined)
    // The first of those that wait in a session without a run at work waits for none of them.
    await queueRun(store, 'r4', 's2')
    assert.equal((await store.addRun(run('r5', 's2'), narrow)).status, 'created')
    assert.deepEqual(await store.addRun(run('r6', 's2'), narrow), { status: 'queue_full', queued: 2, of: 'session' })
  },

  async 'comes after the others even when many come at once'({ store }) {
    await store.createSession(session('s1'), undefined, roomy)
    await Promise.all(times(20, (index) => store.addRun(run(`r${index}`, 's1'), queue)))
    const runs = await store.listRuns('s1', 100)
    const events = await page(store, 's1')
    assert.deepEqual(
      events.map(({ runId }) => runId),
      runs.map(({ runId }) => runId),
    )
    assert.equal((await getSession(store, 's1')).currentRunId, runs[0]?.runId)
  },
})
