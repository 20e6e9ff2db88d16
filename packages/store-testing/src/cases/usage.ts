import { noTotals, type ModelUsage, type Store, type UsageLog, type UsageQuery } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { endRun, noon, startRun } from '../fixtures.ts'
import { group } from '../harness.ts'

const plenty = 1_000
const later = noon + 3_600_000

function usage(change: Partial<ModelUsage> = {}): ModelUsage {
  return {
    day: '2026-11-21',
    tenant: 'acme',
    keyId: 'ci',
    sessionId: 's1',
    runId: 'r1',
    model: 'a/one',
    calls: 1,
    tokens: { input: 10, output: 5, reasoning: 1, cache_read: 2, cache_write: 3 },
    costUsd: 0.5,
    unpriced: 0,
    uncounted: 0,
    estimated: 0,
    wallMs: 100,
    ...change,
  }
}

async function report(store: UsageLog, query: Partial<UsageQuery>): Promise<string[]> {
  const rows = await store.reportUsage({ tenant: 'acme', by: 'day', limit: plenty, ...query })
  return rows.map(({ group, model, calls }) => `${group} ${model} ${calls}`)
}

/** What stays of usage when its sessions are forgotten. */
async function byDayAndKey(store: UsageLog): Promise<unknown> {
  return [
    await store.reportUsage({ tenant: 'acme', by: 'day', limit: plenty }),
    await store.reportUsage({ tenant: 'acme', by: 'key', limit: plenty }),
    await store.sumUsage({ tenant: 'acme', day: '2026-11-21' }),
    await store.sumUsage({ keyId: 'ci' }),
    await store.sumUsage({ keyId: 'ci', day: '2026-11-22' }),
  ]
}

/** A session whose run has ended and that can be forgotten. */
async function over(store: Store, sessionId: string, runId: string): Promise<void> {
  await endRun(store, await startRun(store, runId, sessionId), noon)
  await store.closeSession(sessionId, noon)
  await store.setReleased(sessionId, noon)
}

export const usages = group('usage', {
  async 'adds up usage by run, session, key and day, and has it after a restart'({ store, reopen }) {
    await Promise.all([
      store.addUsage(usage()),
      store.addUsage(usage({ costUsd: 0, unpriced: 1, uncounted: 1, estimated: 1 })),
      store.addUsage(usage({ runId: 'r2', model: 'b/two', keyId: 'other' })),
      store.addUsage(usage({ runId: 'r3', sessionId: 's2', day: '2026-11-22' })),
      store.addUsage(usage({ runId: 'r4', sessionId: 's3', tenant: 'other', keyId: '' })),
    ])
    const again = await reopen()
    const tokens = { input: 20, output: 10, reasoning: 2, cache_read: 4, cache_write: 6 }
    assert.deepEqual(await again.sumUsage({ runId: 'r1' }), {
      calls: 2,
      tokens,
      costUsd: 0.5,
      unpriced: 1,
      uncounted: 1,
      estimated: 1,
      wallMs: 200,
    })
    const calls = async (...of: Parameters<UsageLog['sumUsage']>) => (await again.sumUsage(...of)).calls
    assert.equal(await calls({ sessionId: 's1' }), 3)
    assert.equal(await calls({ tenant: 'acme', day: '2026-11-21' }), 3)
    assert.equal(await calls({ keyId: 'ci' }), 3)
    assert.equal(await calls({ keyId: 'ci', day: '2026-11-21' }), 2)
    assert.deepEqual(await again.sumUsage({ runId: 'none' }), noTotals)
  },

  async 'reports usage of one tenant, a row for each group and model, within its bounds'({ store }) {
    await store.addUsage(usage())
    await store.addUsage(usage({ runId: 'r2', model: 'b/two', keyId: '' }))
    await store.addUsage(usage({ runId: 'r3', day: '2026-11-22' }))
    await store.addUsage(usage({ runId: 'r4', tenant: 'other' }))
    await store.addUsage({ ...usage({ runId: 'r5', model: '' }), ...noTotals, wallMs: 100 })
    assert.deepEqual(await report(store, {}), ['2026-11-21 a/one 1', '2026-11-21 b/two 1', '2026-11-22 a/one 1'])
    assert.deepEqual(await report(store, { by: 'key' }), ['acme b/two 1', 'ci a/one 2'])
    assert.deepEqual(await report(store, { by: 'run' }), ['r1 a/one 1', 'r2 b/two 1', 'r3 a/one 1'])
    assert.deepEqual(await report(store, { by: 'session', sessionId: 's1', runId: 'r2' }), ['s1 b/two 1'])
    assert.deepEqual(await report(store, { from: '2026-11-22' }), ['2026-11-22 a/one 1'])
    assert.deepEqual(await report(store, { to: '2026-11-21', limit: 1 }), ['2026-11-21 a/one 1'])
  },

  async 'has the usage of a session that is forgotten by day, key and model'({ store, reopen }) {
    await over(store, 's1', 'r1')
    await startRun(store, 'r2', 's2')
    await store.addUsage(usage())
    await store.addUsage(usage({ day: '2026-11-22', keyId: '', estimated: 1 }))
    await store.addUsage(usage({ runId: 'r2', sessionId: 's2', day: '2026-11-22' }))
    const before = await byDayAndKey(store)
    assert.equal((await store.forget(later, plenty)).sessions, 1)
    assert.deepEqual(await byDayAndKey(store), before)
    assert.deepEqual(await byDayAndKey(await reopen()), before)
  },

  async 'tells nothing of the runs of a session that is forgotten, and all of the others'({ store }) {
    await over(store, 's1', 'r1')
    await startRun(store, 'r2', 's2')
    await store.addUsage(usage())
    await store.addUsage(usage({ runId: 'r2', sessionId: 's2' }))
    await store.forget(later, plenty)
    assert.deepEqual(await report(store, { by: 'run' }), ['r2 a/one 1'])
    assert.deepEqual(await report(store, { by: 'session' }), ['s2 a/one 1'])
    assert.deepEqual(await store.sumUsage({ runId: 'r1' }), noTotals)
    assert.equal((await store.sumUsage({ sessionId: 's2' })).calls, 1)
  },

  async 'drops what forgotten sessions used on old days, the oldest first, as many as its limit'({ store }) {
    await over(store, 's1', 'r1')
    await startRun(store, 'r2', 's2')
    for (const day of ['2026-11-21', '2026-11-22', '2026-11-23']) await store.addUsage(usage({ day }))
    await store.addUsage(usage({ runId: 'r2', sessionId: 's2', model: 'b/two' }))
    await store.forget(later, plenty)
    assert.equal(await store.dropUsage('2026-11-23', 1), 1)
    assert.deepEqual(await report(store, {}), ['2026-11-21 b/two 1', '2026-11-22 a/one 1', '2026-11-23 a/one 1'])
    assert.equal(await store.dropUsage('2026-11-23', plenty), 1)
    assert.equal(await store.dropUsage('2026-11-23', plenty), 0)
    assert.deepEqual(await report(store, {}), ['2026-11-21 b/two 1', '2026-11-23 a/one 1'])
  },
})
