import type { Store } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import {
  addRun,
  assertDense,
  claimed,
  endedRun,
  ending,
  endRun,
  fenceOf,
  getRun,
  getSession,
  key,
  noon,
  page,
  queueRun,
  roomy,
  session,
  startRun,
  text,
  times,
} from '../fixtures.ts'
import { group } from '../harness.ts'

const hour = 3_600_000
const plenty = 1_000

async function kept(store: Store, sessionId: string): Promise<readonly number[]> {
  const { firstSeq, lastSeq } = await getSession(store, sessionId)
  const events = await page(store, sessionId, firstSeq - 1)
  assertDense(events, firstSeq)
  assert.equal(events.length, lastSeq - firstSeq + 1)
  return events.map(({ seq }) => seq)
}

export const expiry = group('expiry', {
  async 'drops the events of runs that ended before a time'({ store }) {
    await endedRun(store, 'old', 's1', noon)
    await endedRun(store, 'new', 's2', noon + hour)
    assert.deepEqual(await store.expire(noon + hour, noon + hour, plenty), { events: 3, keys: 0 })
    assert.deepEqual(await kept(store, 's1'), [])
    assert.deepEqual(await kept(store, 's2'), [1, 2, 3])
    assert.deepEqual(await store.expire(noon + hour, noon + hour, plenty), { events: 0, keys: 0 })
    assert.equal((await getRun(store, 'old')).state, 'completed', 'the run itself stays')
  },

  async 'drops nothing of a run that is open, whatever its age'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await store.append(fence, [text('a')], noon + 20)
    await queueRun(store, 'r2', 's2')
    assert.deepEqual(await store.expire(noon + 100 * hour, noon, plenty), { events: 0, keys: 0 })
    assert.deepEqual(await kept(store, 's1'), [1, 2, 3])
    assert.deepEqual(await kept(store, 's2'), [1])
  },

  async 'drops the oldest part of a log only, so that what is kept has no gap'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await addRun(store, 'r2', 's1')
    const { event, patch } = ending('cancelled', noon)
    await store.append(fenceOf(await getRun(store, 'r2')), [event], noon, patch)
    await store.append(fence, [text('a')], noon + 20)
    assert.deepEqual(await store.expire(noon + hour, noon, plenty), { events: 0, keys: 0 })
    await endRun(store, fence, noon + 2 * hour)
    assert.deepEqual(await store.expire(noon + hour, noon, plenty), { events: 0, keys: 0 })
    assert.deepEqual(await kept(store, 's1'), [1, 2, 3, 4, 5, 6])
    assert.deepEqual(await store.expire(noon + 3 * hour, noon, plenty), { events: 6, keys: 0 })
  },

  async 'drops up to the first run that is still wanted'({ store }) {
    await endedRun(store, 'r1', 's1', noon)
    await addRun(store, 'r2', 's1')
    await endRun(store, await claimed(store, 'r2'), noon + hour)
    await addRun(store, 'r3', 's1')
    assert.deepEqual(await store.expire(noon + 1, noon, plenty), { events: 3, keys: 0 })
    assert.deepEqual(await kept(store, 's1'), [4, 5, 6, 7])
    assert.deepEqual(await store.expire(noon + 2 * hour, noon, plenty), { events: 3, keys: 0 })
    assert.deepEqual(await kept(store, 's1'), [7])
  },

  async 'tells a cursor into the dropped part that it has expired'({ store }) {
    await endedRun(store, 'r1', 's1', noon)
    await addRun(store, 'r2', 's1')
    await store.expire(noon + 1, noon, plenty)
    const bounds = { firstSeq: 4, lastSeq: 4 }
    for (const after of [0, 1, 2]) {
      const result = await store.readEvents({ sessionId: 's1', after, limit: 10 })
      assert.deepEqual(result, { status: 'expired', ...bounds }, `after ${after}`)
    }
    const next = await store.readEvents({ sessionId: 's1', after: 3, limit: 10 })
    assert.equal(next.status === 'ok' && next.events.length, 1)
    const end = await store.readEvents({ sessionId: 's1', after: 4, limit: 10 })
    assert.deepEqual(end, { status: 'ok', events: [], ...bounds })
  },

  async 'leaves the numbers as they are when a log has been dropped whole'({ store }) {
    await endedRun(store, 'r1', 's1', noon)
    await store.expire(noon + hour, noon, plenty)
    const { firstSeq, lastSeq } = await getSession(store, 's1')
    assert.deepEqual({ firstSeq, lastSeq }, { firstSeq: 4, lastSeq: 3 })
    await addRun(store, 'r2', 's1')
    assert.deepEqual(await kept(store, 's1'), [4])
    assert.deepEqual(await store.expire(noon + hour, noon, plenty), { events: 0, keys: 0 })
    await endRun(store, await claimed(store, 'r2'), noon + hour)
    assert.deepEqual(await store.expire(noon + 2 * hour, noon, plenty), { events: 3, keys: 0 })
  },

  async 'takes no more than its limit at once and comes to the end'({ store }) {
    for (const index of times(4, (index) => index)) await endedRun(store, `r${index}`, `s${index}`, noon + index)
    let total = 0
    for (const expected of [5, 5, 2, 0]) {
      const { events } = await store.expire(noon + hour, noon, 5)
      assert.equal(events, expected)
      total += events
      for (const index of times(4, (index) => index)) await kept(store, `s${index}`)
    }
    assert.equal(total, 12)
  },

  async 'forgets idempotency keys past their time, as many as its limit'({ store }) {
    for (const index of times(5, (index) => index)) {
      const idempotency = key({ key: `k${index}`, expiresAt: noon + index * 1_000 })
      await store.createSession(session(`s${index}`), undefined, { ...roomy, idempotency })
    }
    assert.deepEqual(await store.expire(noon, noon + 2_000, 2), { events: 0, keys: 2 })
    assert.deepEqual(await store.expire(noon, noon + 2_000, 2), { events: 0, keys: 1 })
    assert.deepEqual(await store.expire(noon, noon + 2_000, 2), { events: 0, keys: 0 })
    const admission = { ...roomy, idempotency: key({ key: 'k4', expiresAt: noon + 9_000 }) }
    assert.equal((await store.createSession(session('s9'), undefined, admission)).status, 'replayed')
  },
})
