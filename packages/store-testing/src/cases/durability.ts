import type { Store } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import {
  addRun,
  assertDense,
  claimed,
  endRun,
  fenceOf,
  getRun,
  getSession,
  noon,
  page,
  queueRun,
  roomy,
  session,
  startRun,
  text,
  texts,
  times,
} from '../fixtures.ts'
import { group, type StoreCase } from '../harness.ts'

const unavailable = { code: 'STORE_UNAVAILABLE' }

/** Some of everything a store keeps. */
async function fill(store: Store): Promise<void> {
  await endRun(store, await startRun(store, 'r1', 's1'))
  await addRun(store, 'r2', 's1')
  await store.append(await claimed(store, 'r2'), [text('ü')], noon + 200, { state: 'running', progress: 30 })
  await queueRun(store, 'r3', 's2')
  await store.requestCancel('s2', noon + 210)
  await store.createSession(session('s3', { labels: { a: 'b' } }), undefined, roomy)
  await store.setRef('s3', { executor: 'server', session: 'x' })
  await store.closeSession('s3', noon + 220)
  await store.setReleased('s3', noon + 230)
}

async function everything(store: Store): Promise<unknown> {
  return {
    sessions: await store.listSessions({ tenant: 'acme', limit: 100 }),
    runs: await Promise.all(['r1', 'r2', 'r3'].map((runId) => getRun(store, runId))),
    logs: await Promise.all(['s1', 's2', 's3'].map((sessionId) => page(store, sessionId))),
    open: await store.listOpenRuns(100),
  }
}

/** Every acknowledged write is there after `end`, and the numbers go on where they were. */
function survives(end: 'reopen' | 'crash'): StoreCase['run'] {
  return async (harness) => {
    await fill(harness.store)
    const before = await everything(harness.store)
    const former = fenceOf(await getRun(harness.store, 'r2'))
    const store = await harness[end]()
    assert.deepEqual(await everything(store), before)
    const adopted = await store.adoptRun('r2', { owner: 'gateway-b', leaseUntil: noon, at: noon + 300 })
    assert.ok(adopted)
    await assert.rejects(store.append(former, [text('stale')], noon + 300))
    await store.append(fenceOf(adopted), [text('fresh')], noon + 300)
    assertDense(await page(store, 's1'))
    assert.deepEqual(texts(await page(store, 's1')), ['ü', 'fresh'])
  }
}

export const durability = group('durability', {
  'keeps everything over a restart': survives('reopen'),

  'keeps everything acknowledged over a crash': survives('crash'),

  async 'shows nothing that a crash could take back'(harness) {
    const fence = await startRun(harness.store, 'r1', 's1')
    let acknowledged = false
    const write = harness.store.append(fence, [text('seen')], noon + 20).then(() => (acknowledged = true))
    let seen = await page(harness.store, 's1')
    while (texts(seen).length === 0) {
      assert.ok(!acknowledged, 'what is acknowledged is shown')
      await setImmediate()
      seen = await page(harness.store, 's1')
    }
    const store = await harness.crash()
    await Promise.allSettled([write])
    assert.deepEqual(await page(store, 's1'), seen)
  },

  async 'shows what has been acknowledged'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    for (const index of times(20, (index) => index)) {
      const { lastSeq } = await store.append(fence, [text(`${index}`)], noon + 20)
      assert.equal((await page(store, 's1')).at(-1)?.seq, lastSeq)
    }
  },

  async 'lets writes under way finish before it closes'(harness) {
    const fence = await startRun(harness.store, 'r1', 's1')
    const writes = times(20, (index) => harness.store.append(fence, [text(`${index}`)], noon + 20))
    const [results] = await Promise.all([Promise.all(writes), harness.store.close()])
    const store = await harness.reopen()
    const { lastSeq } = await getSession(store, 's1')
    assert.equal(Math.max(...results.map((result) => result.lastSeq)), lastSeq)
    assert.equal(texts(await page(store, 's1')).length, 20)
  },

  async 'opens and closes as often as it is told'({ store }) {
    await queueRun(store, 'r1', 's1')
    await Promise.all([store.open(), store.open()])
    assert.equal((await getRun(store, 'r1')).state, 'queued')
    await Promise.all([store.close(), store.close()])
    await store.close()
  },

  async 'says so when it is closed'({ store }) {
    await store.close()
    await assert.rejects(store.getSession('s1'), unavailable)
    await assert.rejects(store.createSession(session('s1'), undefined, roomy), unavailable)
    await assert.rejects(store.check(), unavailable)
  },

  async 'is proven by a check, which changes nothing'({ store }) {
    await queueRun(store, 'r1', 's1')
    const before = { session: await getSession(store, 's1'), log: await page(store, 's1') }
    await Promise.all([store.check(), store.check()])
    await store.check()
    assert.deepEqual({ session: await getSession(store, 's1'), log: await page(store, 's1') }, before)
  },
})
