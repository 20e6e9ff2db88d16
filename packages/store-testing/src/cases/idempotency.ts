import type { CreateResult, IdempotencyKey, Store } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { claimed, endRun, getRun, getSession, key, noon, queueRun, roomy, run, session, times } from '../fixtures.ts'
import { group } from '../harness.ts'

/** Creates with ids of its own each time, as a client that tries again does. */
function create(store: Store, attempt: number, idempotency: IdempotencyKey, at = noon): Promise<CreateResult> {
  const wanted = session(`s${attempt}`, { createdAt: at })
  return store.createSession(wanted, run(`r${attempt}`, `s${attempt}`, { createdAt: at }), { ...roomy, idempotency })
}

export const idempotency = group('an idempotency key', {
  async 'makes one session of a hundred parallel requests'({ store }) {
    const results = await Promise.all(times(100, (attempt) => create(store, attempt, key())))
    const ids = new Set(results.map((result) => ('session' in result ? result.session.sessionId : result.status)))
    assert.equal(ids.size, 1)
    assert.equal(results.filter(({ status }) => status === 'created').length, 1)
    assert.equal(results.filter(({ status }) => status === 'replayed').length, 99)
    assert.equal((await store.listSessions({ tenant: 'acme', limit: 200 })).length, 1)
    assert.equal((await store.listOpenRuns(200)).length, 1)
  },

  async 'makes one run of a hundred parallel requests'({ store }) {
    await queueRun(store, 'r', 's1')
    const idempotency = key({ route: 'POST /sessions/s1/messages' })
    const attempts = times(100, (attempt) =>
      store.addRun(run(`r${attempt}`, 's1'), { ...roomy, rejectWhenBusy: false, idempotency }),
    )
    const results = await Promise.all(attempts)
    const ids = new Set(results.map((result) => ('run' in result ? result.run.runId : result.status)))
    assert.equal(ids.size, 1)
    assert.equal(results.filter(({ status }) => status === 'created').length, 1)
    assert.equal((await getSession(store, 's1')).openRuns, 2)
  },

  async 'replays what has become of the run since'({ store }) {
    await create(store, 1, key())
    await endRun(store, await claimed(store, 'r1'))
    const again = await create(store, 2, key())
    assert.equal(again.status, 'replayed')
    assert.deepEqual(again.session, await getSession(store, 's1'))
    assert.deepEqual(again.run, await getRun(store, 'r1'))
    assert.equal(again.run?.state, 'completed')
  },

  async 'replays the run it led to, not the latest'({ store }) {
    await create(store, 1, key())
    await store.addRun(run('later', 's1'), { ...roomy, rejectWhenBusy: false })
    const again = await create(store, 2, key())
    assert.equal(again.status === 'replayed' && again.run?.runId, 'r1')
  },

  async 'replays a session without a run'({ store }) {
    const admission = { ...roomy, idempotency: key() }
    await store.createSession(session('s1'), undefined, admission)
    const again = await store.createSession(session('s2'), undefined, admission)
    assert.deepEqual(again, { status: 'replayed', session: await getSession(store, 's1'), run: undefined })
  },

  async 'tells what it has led to without making anything'({ store }) {
    assert.equal(await store.findCreated(key(), noon), undefined)
    await create(store, 1, key())
    await endRun(store, await claimed(store, 'r1'))
    assert.deepEqual(await store.findCreated(key(), noon), await create(store, 2, key()))
    assert.deepEqual(await store.findCreated(key({ digest: 'other' }), noon), { status: 'key_mismatch' })
    for (const other of [key({ key: 'other' }), key({ route: 'POST /run' }), key({ tenant: 'other' })])
      assert.equal(await store.findCreated(other, noon), undefined)
    assert.equal(await store.findCreated(key(), key().expiresAt), undefined)
    assert.equal((await store.listSessions({ tenant: 'acme', limit: 10 })).length, 1)
  },

  async 'is bound to one body'({ store }) {
    await create(store, 1, key())
    assert.deepEqual(await create(store, 2, key({ digest: 'other' })), { status: 'key_mismatch' })
    const idempotency = key({ digest: 'other' })
    const added = await store.addRun(run('r3', 's1'), { ...roomy, rejectWhenBusy: false, idempotency })
    assert.deepEqual(added, { status: 'key_mismatch' })
    assert.equal(await store.getSession('s2'), undefined)
    assert.equal(await store.getRun('r3'), undefined)
  },

  async 'belongs to one tenant and one route'({ store }) {
    const scopes = [key(), key({ tenant: 'other' }), key({ route: 'POST /run' }), key({ key: 'k2' })]
    for (const [attempt, scope] of scopes.entries()) {
      assert.equal((await create(store, attempt, scope)).status, 'created')
    }
  },

  async 'is heard before every other reason to refuse'({ store }) {
    const idempotency = key()
    await create(store, 1, idempotency)
    const full = await store.createSession(session('s1'), run('r1', 's1'), { maxQueued: 0, idempotency })
    assert.equal(full.status, 'replayed')
    const further = { ...roomy, rejectWhenBusy: false, idempotency: key({ route: 'POST /sessions/s1/messages' }) }
    await store.addRun(run('r2', 's1'), further)
    await store.closeSession('s1', noon + 20)
    const closed = await store.addRun(run('r3', 's1'), { ...further, maxQueued: 0, rejectWhenBusy: true })
    assert.equal(closed.status === 'replayed' && closed.run.runId, 'r2')
  },

  async 'is free again after its time'({ store }) {
    const first = key({ expiresAt: noon + 1_000 })
    await create(store, 1, first)
    const renewed = key({ expiresAt: noon + 5_000, digest: 'other' })
    assert.equal((await create(store, 2, first, noon + 999)).status, 'replayed')
    assert.equal((await create(store, 3, renewed, noon + 1_000)).status, 'created')
    const again = await create(store, 4, renewed, noon + 4_000)
    assert.equal(again.status === 'replayed' && again.session.sessionId, 's3')
  },

  async 'is not spent by a request that was refused'({ store }) {
    const idempotency = key()
    const refused = await store.createSession(session('s1'), run('r1', 's1'), { maxQueued: 0, idempotency })
    assert.equal(refused.status, 'queue_full')
    assert.equal((await create(store, 1, idempotency)).status, 'created')
  },

  async 'is remembered after a restart'(harness) {
    await create(harness.store, 1, key())
    const store = await harness.reopen()
    const again = await create(store, 2, key())
    assert.equal(again.status === 'replayed' && again.session.sessionId, 's1')
  },
})
