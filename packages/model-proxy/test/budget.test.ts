import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelBudget } from '@opencode-gateway/contracts'
import { startProvider } from './provider.ts'
import { startScene, type Scene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const CHAT = '/chat/completions'
const usage = { prompt_tokens: 70, completion_tokens: 30 }
const prices = new Map([['acme/m', { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 }]])
const answered = JSON.stringify({ usage })

/** Statuses of calls, one after the other, until one is refused; at most ten. */
async function callUntilRefused(scene: Scene, body?: string): Promise<number> {
  for (let calls = 0; calls < 10; calls += 1) {
    const answer = await scene.call(CHAT, body === undefined ? {} : { body })
    await answer.text()
    if (answer.status === 403) return calls
  }
  return 10
}

const limits: [name: string, budget: ModelBudget, calls: number, why: RegExp][] = [
  ['calls', { calls: 3 }, 3, /budget of the run is 3 calls of models, all made/],
  ['tokens', { tokens: 250 }, 3, /budget of the run is 250 tokens; 300 are used/],
  ['cost', { costUsd: 0.0002 }, 2, /budget of the run is 0.0002 USD; 0.000200 are spent/],
]
for (const [name, budget, calls, why] of limits) {
  test(`a run makes no call beyond its budget of ${name}, and is told to stop once`, LIMIT, async (t) => {
    const provider = await startProvider(t, (response) => response.end(answered))
    const scene = await startScene(t, provider.address, { prices })
    const meter = await scene.begin({ budget })
    assert.equal(await callUntilRefused(scene), calls)
    assert.equal(await callUntilRefused(scene), 0)
    assert.equal(provider.calls.length, calls)
    assert.deepEqual(
      meter.stops.map(({ code }) => code),
      ['BUDGET_EXCEEDED'],
    )
    assert.match(meter.stops[0]?.message ?? '', why)
    assert.deepEqual(new Set(scene.refused), new Set(['budget']))
  })
}

test(
  'a session and a tenant’s day have budgets over all their runs, those before a restart included',
  LIMIT,
  async (t) => {
    const provider = await startProvider(t, (response) => response.end(answered))
    for (const [budgets, of] of [
      [{ sessionBudget: { tokens: 250 } }, 'session'],
      [{ dayBudget: { calls: 3 } }, 'tenant for this day'],
    ] as const) {
      const scene = await startScene(t, provider.address, { ...budgets, prices })
      const first = await scene.begin({ runId: 'first' })
      await scene.call(CHAT)
      await first.end()
      const second = await scene.begin({ runId: 'second' })
      assert.equal(await callUntilRefused(scene), 2)
      await second.end()
      assert.match(second.stops[0]?.message ?? '', new RegExp(`budget of the ${of} is`))
      const third = await scene.begin({ runId: 'third' })
      assert.equal(await callUntilRefused(scene), 0)
      assert.equal(third.stops.length, 1)
    }
  },
)

test('a limit that cannot be watched is taken for reached', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{"no":"usage"}'))
  const unknown = await startScene(t, provider.address)
  const unpriced = await unknown.begin({ budget: { costUsd: 100 } })
  assert.equal(await callUntilRefused(unknown), 0)
  assert.match(unpriced.stops[0]?.message ?? '', /the price of "acme\/m" is not known/)
  for (const budget of [{ costUsd: 100 }, { tokens: 1_000_000 }]) {
    const scene = await startScene(t, provider.address, { prices })
    const uncounted = await scene.begin({ budget })
    assert.equal(await callUntilRefused(scene), 1)
    assert.match(uncounted.stops[0]?.message ?? '', /a provider does not say how many/)
  }
})

test('calls that fail count as calls, so that a loop of failures ends', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.writeHead(500).end())
  const scene = await startScene(t, provider.address)
  await scene.begin({ budget: { calls: 4 } })
  assert.equal(await callUntilRefused(scene), 4)
})

test('a run whose answer is broken off at its limit is told to stop', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(Buffer.alloc(100_000)))
  const scene = await startScene(t, provider.address, { limits: { maxAnswerBytes: 10_000 } })
  const meter = await scene.begin()
  await assert.rejects(async () => await (await scene.call(CHAT)).arrayBuffer())
  assert.deepEqual(
    meter.stops.map(({ code }) => code),
    ['MODEL_ERROR'],
  )
})
