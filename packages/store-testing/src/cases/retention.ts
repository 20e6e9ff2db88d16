import type { Store } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import {
  assertDense,
  claimed,
  endedRun,
  endRun,
  getSession,
  key,
  noon,
  page,
  queueRun,
  roomy,
  run,
  session,
  times,
} from '../fixtures.ts'
import { group } from '../harness.ts'

const hour = 3_600_000
const plenty = 1_000

/** A session that is closed and released, with a run that has ended: three events. */
async function over(store: Store, sessionId: string, at: number): Promise<void> {
  await endedRun(store, `run-of-${sessionId}`, sessionId, at)
  await store.closeSession(sessionId, at)
  await store.setReleased(sessionId, at)
}

const closed = async (store: Store, now: number, limit = plenty): Promise<string[]> =>
  (await store.closeExpired(now, limit)).map(({ sessionId }) => sessionId)

export const retention = group('retention', {
  async 'closes sessions whose retention is over, and no others'({ store }) {
    for (const [id, retentionMs] of [
      ['over', hour],
      ['long', 3 * hour],
      ['working', hour],
      ['closed', hour],
    ] as const) {
      const first = id === 'working' ? run('r1', id) : undefined
      await store.createSession(session(id, { retentionMs }), first, roomy)
    }
    await store.createSession(session('for ever'), undefined, roomy)
    await store.closeSession('closed', noon + 1)
    assert.equal((await getSession(store, 'over')).retentionMs, hour)
    assert.equal((await getSession(store, 'for ever')).retentionMs, undefined)
    assert.deepEqual(await closed(store, noon + hour - 1), [])
    const [row, ...others] = await store.closeExpired(noon + hour, plenty)
    assert.deepEqual(others, [])
    assert.deepEqual(row, await getSession(store, 'over'))
    assert.equal(row?.closedAt, noon + hour)
    const added = await store.addRun(run('r2', 'over'), { ...roomy, rejectWhenBusy: false })
    assert.equal(added.status, 'closed')
    assert.equal((await getSession(store, 'closed')).closedAt, noon + 1, 'the first time stays')
    assert.deepEqual(await closed(store, noon + 2 * hour), [])
    assert.deepEqual(await closed(store, noon + 3 * hour), ['long'])
  },

  async 'forgets the credentials of what it closes when its retention is over'({ store }) {
    const repository = { url: 'https://host/a/b.git', branch: 'main' }
    const files = { 'a.txt': 'text' }
    const fill = { repository: { ...repository, sealedCredentials: 'v1.key.text' }, files }
    await store.createSession(session('over', { fill, retentionMs: hour }), undefined, roomy)
    await store.createSession(session('long', { fill, retentionMs: 3 * hour }), undefined, roomy)
    assert.deepEqual(await closed(store, noon + hour), ['over'])
    assert.deepEqual(await store.getFill('over'), { repository, files })
    assert.deepEqual(await store.getFill('long'), fill)
  },

  async 'counts retention from the last change, and closes as many as its limit'({ store }) {
    for (const index of times(3, (index) => index)) {
      await store.createSession(session(`s${index}`, { retentionMs: (3 - index) * hour }), undefined, roomy)
    }
    await store.createSession(session('used', { retentionMs: hour }), run('r1', 'used'), roomy)
    await endRun(store, await claimed(store, 'r1'), noon + 2.5 * hour)
    assert.deepEqual(await closed(store, noon + 3 * hour, 2), ['s2', 's1'])
    assert.deepEqual(await closed(store, noon + 3 * hour, 2), ['s0'])
    assert.deepEqual(await closed(store, noon + 3 * hour, 2), [])
    assert.deepEqual(await closed(store, noon + 3.5 * hour, 2), ['used'])
  },

  async 'counts retention from the last use as well, until the session is closed'({ store }) {
    await store.createSession(session('s1', { retentionMs: hour }), undefined, roomy)
    await store.createSession(session('s2', { retentionMs: hour }), undefined, roomy)
    assert.equal(await store.touchSession('s1', noon + 2 * hour), true)
    assert.equal(await store.touchSession('s1', noon + hour), true, 'a clock may go back')
    assert.equal((await getSession(store, 's1')).updatedAt, noon + 2 * hour)
    assert.deepEqual(await closed(store, noon + 3 * hour - 1), ['s2'])
    const before = await getSession(store, 's2')
    assert.equal(await store.touchSession('s2', noon + 4 * hour), false)
    assert.deepEqual(await getSession(store, 's2'), before)
    assert.deepEqual(await closed(store, noon + 3 * hour), ['s1'])
    await assert.rejects(store.touchSession('s9', noon), { code: 'SESSION_NOT_FOUND' })
  },

  async 'gives sessions of before there was a retention one that begins now'({ store }) {
    for (const id of ['old', 'older', 'closed']) await store.createSession(session(id), undefined, roomy)
    await store.createSession(session('new', { retentionMs: 5 * hour }), undefined, roomy)
    await store.closeSession('closed', noon)
    assert.equal(await store.adoptRetention(hour, noon + 2 * hour, 1), 1)
    assert.equal(await store.adoptRetention(hour, noon + 2 * hour, plenty), 1)
    assert.equal(await store.adoptRetention(hour, noon + 2 * hour, plenty), 0)
    assert.deepEqual(await closed(store, noon + 3 * hour - 1), [])
    assert.deepEqual((await closed(store, noon + 3 * hour)).toSorted(), ['old', 'older'])
    assert.equal((await getSession(store, 'new')).retentionMs, 5 * hour)
  },

  async 'forgets a session that is over, with all that was ever its'({ store }) {
    const idempotency = key({ expiresAt: noon + 1_000 * hour })
    const fill = { files: { 'a.txt': 'a' } }
    const made = session('s1', { labels: { of: 'old' }, fill })
    await store.createSession(made, run('r1', 's1'), { ...roomy, idempotency })
    await endRun(store, await claimed(store, 'r1'), noon)
    await store.closeSession('s1', noon)
    await store.setReleased('s1', noon)
    await queueRun(store, 'r2', 's2')
    assert.deepEqual(await store.forget(noon + 1_000, plenty), { sessions: 1, rows: 5 })
    assert.deepEqual(
      [await store.getSession('s1'), await store.getRun('r1'), await store.getFill('s1')],
      [undefined, undefined, undefined],
    )
    assert.deepEqual(await store.readEvents({ sessionId: 's1', after: 0, limit: 10 }), { status: 'not_found' })
    assert.deepEqual(await store.listRuns('s1', 10), [])
    const label = { name: 'of', value: 'old' }
    assert.deepEqual(await store.listSessions({ tenant: 'acme', limit: 10, label }), [])
    assert.deepEqual(
      (await store.listSessions({ tenant: 'acme', limit: 10 })).map(({ sessionId }) => sessionId),
      ['s2'],
    )
    assert.equal(await store.findCreated(idempotency, noon), undefined)
    const again = await store.createSession(made, run('r1', 's1'), { ...roomy, idempotency })
    assert.equal(again.status, 'created')
    assert.deepEqual((await page(store, 's1')).length, 1)
  },

  async 'forgets nothing that is open, held or younger'({ store }) {
    await over(store, 'young', noon + hour)
    await endedRun(store, 'r1', 'open', noon)
    await store.setReleased('open', noon)
    await endedRun(store, 'r2', 'held', noon)
    await store.closeSession('held', noon)
    await queueRun(store, 'r3', 'waiting')
    await store.closeSession('waiting', noon)
    await store.setReleased('waiting', noon)
    assert.deepEqual(await store.forget(noon + hour, plenty), { sessions: 0, rows: 0 })
    for (const id of ['young', 'open', 'held', 'waiting']) await getSession(store, id)
    assert.deepEqual(await store.forget(noon + hour + 1, plenty), { sessions: 1, rows: 5 })
  },

  async 'forgets no more rows than its limit at once, the oldest first, and comes to the end'({ store }) {
    for (const index of times(3, (index) => index)) await over(store, `s${index}`, noon + 1_000 + index)
    const counts: number[] = []
    let sessions = 0
    for (let more = true; more;) {
      const forgotten = await store.forget(noon + hour, 2)
      more = forgotten.rows > 0
      if (more) counts.push(forgotten.rows)
      sessions += forgotten.sessions
      for (const { sessionId, firstSeq } of await store.listSessions({ tenant: 'acme', limit: 10 })) {
        assertDense(await page(store, sessionId, firstSeq - 1), firstSeq)
      }
      if (counts.length === 3) assert.equal(await store.getSession('s0'), undefined)
    }
    assert.equal(sessions, 3)
    assert.ok(counts.every((rows) => rows <= 2))
    assert.equal(
      counts.reduce((sum, rows) => sum + rows, 0),
      15,
    )
  },
})
