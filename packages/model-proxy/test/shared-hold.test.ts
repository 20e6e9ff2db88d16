import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RaisedLimit } from '@opencode-gateway/contracts'
import { startProvider } from './provider.ts'
import { eventually, startScene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const CHAT = '/chat/completions'
const answered = JSON.stringify({ usage: { prompt_tokens: 70, completion_tokens: 30 } })
const today = new Date().toISOString().slice(0, 10)

test('at the budget of its session a run waits, and goes on with the call that waited', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  const scene = await startScene(t, provider.address, { sessionBudget: { calls: 1 } })
  const meter = await scene.begin({ asks: {} })
  assert.equal((await scene.call(CHAT)).status, 200)
  const held = scene.call(CHAT)
  await eventually(t, () => meter.reached.length > 0)
  const message = 'The budget of the session is 1 call of models, already made.'
  assert.deepEqual(meter.reached, [{ of: 'session', limit: 'calls', used: 1, budget: { calls: 1 }, message }])
  const shared = meter.shared('session', undefined)
  assert.ok(shared)
  const stored = { owner: 'session', id: 'session', day: '', limit: 'calls', configured: 1, more: 1 }
  assert.deepEqual(shared.toStore({ calls: 1, tokens: 5 }), [stored], 'what has no limit is not raised')
  shared.raise({ calls: 1 })
  assert.equal((await held).status, 200)
  assert.deepEqual([shared.budget(), meter.freed(), meter.stops], [{ calls: 2 }, 1, []])
  assert.equal(provider.calls.length, 2)
})

test('two runs that wait for one budget both go on when it is raised through one of them', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  const scene = await startScene(t, provider.address, {
    budgetsOfKey: (keyId) => (keyId === 'ci' ? { dayBudget: { calls: 1 } } : {}),
    isRaisable: (tenant) => tenant === 'tenant',
  })
  scene.proxy.engines.assign('ses_other', 'other')
  const one = await scene.begin({ asks: {}, keyId: 'ci' })
  const other = await scene.begin({ asks: {}, keyId: 'ci', runId: 'r2', sessionId: 'other' })
  await scene.call(CHAT)
  const held = [scene.call(CHAT), scene.call(CHAT, { headers: { 'x-session-id': 'ses_other' } })]
  await eventually(t, () => one.reached.length + other.reached.length === 2)
  assert.deepEqual([other.reached[0]?.of, other.reached[0]?.day], ['key_day', today])
  assert.equal(one.shared('key_day', '2000-01-01'), undefined, 'that day is over')
  one.shared('key_day', today)?.raise({ calls: 2 })
  assert.deepEqual(await Promise.all(held.map(async (call) => (await call).status)), [200, 200])
  assert.deepEqual([one.freed(), other.freed()], [1, 1])
})

test('a raise that is stored counts, for its day and as long as the limit is set as it was', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  const row: RaisedLimit = { owner: 'day', id: 'tenant', day: today, limit: 'calls', configured: 1, more: 2 }
  const ofSession: RaisedLimit = { ...row, owner: 'session', id: 'session', day: '' }
  for (const [raised, budgets, calls] of [
    [row, { dayBudget: { calls: 1 } }, 3],
    [{ ...row, day: '2000-01-01' }, { dayBudget: { calls: 1 } }, 1],
    [{ ...row, configured: 5 }, { dayBudget: { calls: 1 } }, 1],
    [ofSession, { sessionBudget: { calls: 1 } }, 3],
    [{ ...ofSession, id: 'another' }, { sessionBudget: { calls: 1 } }, 1],
  ] as const) {
    const scene = await startScene(t, provider.address, { ...budgets, raised: [raised] })
    const meter = await scene.begin()
    let made = 0
    while ((await scene.call(CHAT)).status === 200) made += 1
    assert.equal(made, calls, JSON.stringify([raised, budgets]))
    assert.equal(meter.stops[0]?.code, 'BUDGET_EXCEEDED')
  }
})
