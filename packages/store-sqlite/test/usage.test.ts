import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ModelUsage } from '@opencode-gateway/contracts'
import { createSqliteStore } from '../src/index.ts'

const one: ModelUsage = {
  day: '2026-11-21',
  tenant: 'acme',
  sessionId: 's1',
  runId: 'r1',
  model: 'a/one',
  calls: 1,
  tokens: { input: 10, output: 5, reasoning: 1, cache_read: 2, cache_write: 3 },
  costUsd: 0.5,
  unpriced: 0,
  uncounted: 0,
}
const nothing = {
  calls: 0,
  tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
  costUsd: 0,
  unpriced: 0,
  uncounted: 0,
}

async function openStore(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'usage-test-'))
  const open = async () => {
    const store = createSqliteStore({ file: join(directory, 'gateway.db') })
    await store.open()
    return store
  }
  t.after(() => rm(directory, { recursive: true, force: true }))
  return { store: await open(), open }
}

test('usage adds up by run, session, and day of a tenant, and is there after a restart', async (t) => {
  const { store, open } = await openStore(t)
  await Promise.all([
    store.addUsage(one),
    store.addUsage({ ...one, costUsd: 0, unpriced: 1, uncounted: 1 }),
    store.addUsage({ ...one, runId: 'r2', model: 'b/two' }),
    store.addUsage({ ...one, runId: 'r3', sessionId: 's2', day: '2026-11-22' }),
    store.addUsage({ ...one, runId: 'r4', sessionId: 's3', tenant: 'other' }),
  ])
  await store.close()
  const again = await open()
  t.after(() => again.close())
  const twice = { input: 20, output: 10, reasoning: 2, cache_read: 4, cache_write: 6 }
  const ofRun = { calls: 2, tokens: twice, costUsd: 0.5, unpriced: 1, uncounted: 1 }
  assert.deepEqual(await again.sumUsage({ runId: 'r1' }), ofRun)
  assert.equal((await again.sumUsage({ sessionId: 's1' })).calls, 3)
  assert.equal((await again.sumUsage({ tenant: 'acme', day: '2026-11-21' })).calls, 3)
  assert.deepEqual(await again.sumUsage({ runId: 'none' }), nothing)
})

test('a report is of one tenant, has a row for each group and model, and a bound', async (t) => {
  const { store } = await openStore(t)
  t.after(() => store.close())
  for (const usage of [
    one,
    { ...one, runId: 'r2', model: 'b/two' },
    { ...one, runId: 'r3', day: '2026-11-22' },
    { ...one, runId: 'r4', tenant: 'other' },
  ]) {
    await store.addUsage(usage)
  }
  const report = async (query: Partial<Parameters<typeof store.reportUsage>[0]>) =>
    (await store.reportUsage({ tenant: 'acme', by: 'day', limit: 100, ...query })).map(
      ({ group, model, calls }) => `${group} ${model} ${calls}`,
    )
  assert.deepEqual(await report({}), ['2026-11-21 a/one 1', '2026-11-21 b/two 1', '2026-11-22 a/one 1'])
  assert.deepEqual(await report({ by: 'key' }), ['acme a/one 2', 'acme b/two 1'])
  assert.deepEqual(await report({ by: 'run' }), ['r1 a/one 1', 'r2 b/two 1', 'r3 a/one 1'])
  assert.deepEqual(await report({ by: 'session', sessionId: 's1', runId: 'r2' }), ['s1 b/two 1'])
  assert.deepEqual(await report({ from: '2026-11-22' }), ['2026-11-22 a/one 1'])
  assert.deepEqual(await report({ to: '2026-11-21', limit: 1 }), ['2026-11-21 a/one 1'])
})
