import assert from 'node:assert/strict'
import { claimed, endRun, getSession, noon, page, queueRun, roomy, run, session, startRun, times } from '../fixtures.ts'
import { group } from '../harness.ts'

export const admission = group('admission', {
  async 'takes a session, its run and its first event in one'({ store }) {
    const labels = { team: 'blue', 'with "quotes"': "it's" }
    const wanted = session('s1', { labels, oneShot: true, keepWorkspace: true, retentionMs: 60_000 })
    const input = { kind: 'shell' as const, runId: 'r1', command: 'echo "ü"' }
    const result = await store.createSession(wanted, run('r1', 's1', { input }), roomy)
    assert.equal(result.status, 'created')
    assert.deepEqual(result.session, {
      ...wanted,
      updatedAt: noon,
      ref: undefined,
      closedAt: undefined,
      releasedAt: undefined,
      lastSeq: 1,
      firstSeq: 1,
      currentRunId: 'r1',
      openRuns: 1,
      status: 'pending',
    })
    assert.deepEqual(result.run, {
      ...run('r1', 's1', { input }),
      state: 'queued',
      epoch: 0,
      owner: undefined,
      leaseUntil: undefined,
      attempts: 0,
      claimedAt: undefined,
      promptedAt: undefined,
      endedAt: undefined,
      cancelRequestedAt: undefined,
      progress: 0,
      currentTool: undefined,
      asks: [],
      complete: undefined,
    })
    assert.deepEqual(await store.getSession('s1'), result.session)
    assert.deepEqual(await store.getRun('r1'), result.run)
    const first = { type: 'status', data: { status: 'pending' }, seq: 1, runId: 'r1', at: noon }
    assert.deepEqual(await page(store, 's1'), [first])
  },

  async 'takes a session without a run, which is idle'({ store }) {
    const result = await store.createSession(session('s1'), undefined, roomy)
    assert.equal(result.status, 'created')
    assert.equal(result.run, undefined)
    const { status, openRuns, lastSeq, currentRunId } = result.session
    assert.deepEqual({ status, openRuns, lastSeq }, { status: 'idle', openRuns: 0, lastSeq: 0 })
    assert.equal(currentRunId, undefined)
  },

  async 'refuses an id that is taken, by whomever'({ store }) {
    await queueRun(store, 'r1', 's1')
    const before = await getSession(store, 's1')
    for (const tenant of ['acme', 'other']) {
      const again = await store.createSession(session('s1', { tenant }), run('r2', 's1', { tenant }), roomy)
      assert.deepEqual(again, { status: 'exists' })
    }
    assert.deepEqual(await getSession(store, 's1'), before)
    assert.equal(await store.getRun('r2'), undefined)
  },

  async 'gives an id to one of many that want it at once'({ store }) {
    const creations = times(20, (index) => store.createSession(session('s1'), run(`r${index}`, 's1'), roomy))
    const results = await Promise.all(creations)
    assert.equal(results.filter(({ status }) => status === 'created').length, 1)
    assert.equal(results.filter(({ status }) => status === 'exists').length, 19)
    assert.equal((await store.listOpenRuns(100)).length, 1)
  },

  async 'takes as many queued runs as it may, of all tenants, and leaves nothing of the others'({ store }) {
    const creations = times(30, (index) => {
      const tenant = index % 2 ? 'acme' : 'other'
      return store.createSession(session(`s${index}`, { tenant }), run(`r${index}`, `s${index}`, { tenant }), {
        maxQueued: 10,
      })
    })
    const results = await Promise.all(creations)
    assert.equal(results.filter(({ status }) => status === 'created').length, 10)
    for (const [index, result] of results.entries()) {
      if (result.status === 'created') continue
      assert.deepEqual(result, { status: 'queue_full', queued: 10 })
      assert.equal(await store.getSession(`s${index}`), undefined)
      assert.equal(await store.getRun(`r${index}`), undefined)
    }
  },

  async 'counts what is queued, not what is at work or has ended'({ store }) {
    const narrow = { maxQueued: 1 }
    await startRun(store, 'r1', 's1')
    await endRun(store, await startRun(store, 'r2', 's2'))
    assert.equal((await store.createSession(session('s3'), run('r3', 's3'), narrow)).status, 'created')
    assert.equal((await store.createSession(session('s4'), run('r4', 's4'), narrow)).status, 'queue_full')
    const fence = await claimed(store, 'r3')
    assert.equal((await store.createSession(session('s4'), run('r4', 's4'), narrow)).status, 'created')
    await store.requeueRun(fence, noon + 20)
    await claimed(store, 'r4')
    const result = await store.createSession(session('s5'), run('r5', 's5'), narrow)
    assert.deepEqual(result, { status: 'queue_full', queued: 1 })
  },

  async 'takes what finds a free slot beside what may wait'({ store }) {
    const admit = async (id: number, maxQueued: number) => {
      const result = await store.createSession(session(`s${id}`), run(`r${id}`, `s${id}`), { maxQueued, slots: 2 })
      return result.status
    }
    assert.deepEqual([await admit(1, 0), await admit(2, 0), await admit(3, 0)], ['created', 'created', 'queue_full'])
    const first = await claimed(store, 'r1')
    assert.equal(await admit(3, 0), 'queue_full')
    await claimed(store, 'r2')
    assert.equal(await admit(3, 0), 'queue_full')
    assert.equal(await admit(3, 1), 'created')
    assert.equal(await admit(4, 1), 'queue_full')
    await endRun(store, first)
    assert.equal(await admit(4, 0), 'queue_full')
    await claimed(store, 'r3')
    // What is at work beyond the slots takes nothing away from what may wait.
    await startRun(store, 'r5', 's5')
    assert.equal(await admit(6, 1), 'created')
    assert.equal(await admit(7, 1), 'queue_full')
  },

  async 'takes as many queued runs of a tenant as may wait, and those of others'({ store }) {
    const admit = (id: string, tenant: string) =>
      store.createSession(session(`s${id}`, { tenant }), run(`r${id}`, `s${id}`, { tenant }), {
        ...roomy,
        maxQueuedOfTenant: 2,
      })
    assert.deepEqual([(await admit('1', 'loud')).status, (await admit('2', 'loud')).status], ['created', 'created'])
    assert.deepEqual(await admit('3', 'loud'), { status: 'queue_full', queued: 2, of: 'tenant' })
    assert.equal((await admit('4', 'quiet')).status, 'created')
    await claimed(store, 'r1')
    assert.equal((await admit('3', 'loud')).status, 'created')
  },

  async 'takes as many as find a free slot or may wait when many come at once'({ store }) {
    await startRun(store, 'working', 'busy')
    const narrow = { maxQueued: 2, slots: 4 }
    const results = await Promise.all(
      times(30, (index) => store.createSession(session(`s${index}`), run(`r${index}`, `s${index}`), narrow)),
    )
    assert.equal(results.filter(({ status }) => status === 'created').length, 5)
    assert.equal(results.filter(({ status }) => status === 'queue_full').length, 25)
  },

  async 'takes a session without a run though the queue is full'({ store }) {
    assert.equal((await store.createSession(session('s1'), undefined, { maxQueued: 0 })).status, 'created')
  },
})
