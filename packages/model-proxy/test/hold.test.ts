import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Log } from '@opencode-gateway/contracts'
import { startProvider } from './provider.ts'
import { eventually, silentLog, startScene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const CHAT = '/chat/completions'
const answered = JSON.stringify({ usage: { prompt_tokens: 70, completion_tokens: 30 } })

test(
  'at a limit calls wait, one ask is enough for all, and raising lets out as many as it allows',
  LIMIT,
  async (t) => {
    const provider = await startProvider(t, (response) => response.end(answered))
    const scene = await startScene(t, provider.address)
    const meter = await scene.begin({ budget: { calls: 1 }, asks: {} })
    assert.equal((await scene.call(CHAT)).status, 200)
    const held = [scene.call(CHAT), scene.call(CHAT), scene.call(CHAT)]
    await eventually(t, () => meter.reached.length > 0)
    assert.deepEqual(meter.reached, [
      {
        of: 'run',
        limit: 'calls',
        used: 1,
        budget: { calls: 1 },
        message: 'The budget of the run is 1 call of models, already made.',
      },
    ])
    meter.raise({ calls: 3 })
    await eventually(t, () => meter.reached.length > 1)
    await eventually(t, () => provider.calls.length === 3)
    meter.raise({ calls: 10 })
    assert.deepEqual(await Promise.all(held.map(async (call) => (await call).status)), [200, 200, 200])
    assert.equal(provider.calls.length, 4)
    assert.deepEqual([meter.reached.length, meter.stops.length], [2, 0])
  },
)

test('what waits is refused when the run ends, and that is no alarm', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  const scene = await startScene(t, provider.address)
  const meter = await scene.begin({ budget: { calls: 1 }, asks: {} })
  await scene.call(CHAT)
  const held = scene.call(CHAT)
  await eventually(t, () => meter.reached.length > 0)
  await meter.end()
  assert.equal((await held).status, 403)
  assert.equal(provider.calls.length, 1)
  assert.deepEqual(scene.refused, ['budget'])
})

test('a call whose engine leaves does not go out when its budget is raised', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  const scene = await startScene(t, provider.address)
  const meter = await scene.begin({ budget: { calls: 1 }, asks: {} })
  await scene.call(CHAT)
  const leaving = new AbortController()
  const left = assert.rejects(scene.call(CHAT, { signal: leaving.signal }))
  await eventually(t, () => meter.reached.length > 0)
  leaving.abort()
  await left
  // What waits still asks again.
  for (let asked = 0; asked !== meter.reached.length;) {
    asked = meter.reached.length
    meter.raise({ calls: 1 })
    await setImmediate()
  }
  meter.raise({ calls: 2 })
  assert.equal((await scene.call(CHAT)).status, 200)
  assert.equal(provider.calls.length, 2)
})

test('only so much waits: what is more is told to come again', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  const scene = await startScene(t, provider.address, { limits: { maxHeldBytes: 1_000 } })
  const meter = await scene.begin({ budget: { calls: 1 }, asks: {} })
  await scene.call(CHAT)
  const body = JSON.stringify({ model: 'm', text: 'x'.repeat(600) })
  const held = scene.call(CHAT, { body })
  await eventually(t, () => meter.reached.length > 0)
  const refused = await scene.call(CHAT, { body })
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5'])
  meter.raise({ calls: 9 })
  assert.equal((await held).status, 200)
  assert.equal((await scene.call(CHAT, { body })).status, 200, 'there is room again')
})

test('what raising would not help ends the run at once', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  for (const [options, budget] of [
    [{}, { costUsd: 1 }],
    [{ sessionBudget: { costUsd: 1 } }, { calls: 1 }],
    [{ dayBudget: { calls: 0 } }, { calls: 1 }],
    [{}, { calls: 0 }],
  ] as const) {
    const scene = await startScene(t, provider.address, options)
    const meter = await scene.begin({ budget, asks: { calls: 0 } })
    assert.equal((await scene.call(CHAT)).status, 403)
    assert.deepEqual([meter.reached.length, meter.stops[0]?.code], [0, 'BUDGET_EXCEEDED'])
  }
})

test('a call waits for the run that is being found again, and no longer than it is', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  const scene = await startScene(t, provider.address)
  assert.equal((await scene.call(CHAT)).status, 403)
  const expected = scene.proxy.runs.expect('session')
  let settled = false
  const early = scene.call(CHAT).finally(() => (settled = true))
  const meter = await scene.begin({ resumed: true })
  assert.equal(settled, false)
  assert.equal((await early).status, 200)
  expected[Symbol.dispose]()
  await meter.end()
  const given = scene.proxy.runs.expect('session')
  const vain = scene.call(CHAT)
  given[Symbol.dispose]()
  const answer = await vain
  assert.ok(answer.status === 503 ? answer.headers.get('retry-after') === '1' : answer.status === 403)
  assert.equal((await scene.call(CHAT)).status, 403)
})

test('a call that cannot be answered by a fault of ours is broken off, and ends nothing else', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{}'))
  const faults: unknown[] = []
  const log: Log = { ...silentLog, error: (...fault) => void faults.push(fault) }
  const isRaisable = (): boolean => {
    throw new Error('a fault')
  }
  const budgetsOfKey = () => ({ budget: { calls: 1 } })
  const scene = await startScene(t, provider.address, { log, isRaisable, budgetsOfKey })
  await scene.begin({ keyId: 'key', asks: {} })
  assert.equal((await scene.call(CHAT)).status, 200)
  await assert.rejects(scene.call(CHAT))
  assert.equal(faults.length, 1)
})
