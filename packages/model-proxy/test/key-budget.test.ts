import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noTotals, type ModelBudget } from '@opencode-gateway/contracts'
import { createAccount } from '../src/account.ts'
import { overBudget } from '../src/budget.ts'
import { startProvider } from './provider.ts'
import { startScene, type Scene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const CHAT = '/chat/completions'
const prices = new Map([['acme/m', { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 }]])
const answered = JSON.stringify({ usage: { prompt_tokens: 70, completion_tokens: 30 } })

async function callUntilRefused(scene: Scene): Promise<number> {
  for (let calls = 0; calls < 10; calls += 1) if ((await scene.call(CHAT)).status === 403) return calls
  return 10
}

const budgets: [name: string, budget: ModelBudget, calls: number][] = [
  ['calls', { calls: 3 }, 3],
  ['tokens', { tokens: 250 }, 3],
  ['cost', { costUsd: 0.0002 }, 2],
]
for (const [name, budget, calls] of budgets) {
  for (const per of ['budget', 'dayBudget'] as const) {
    test(`a key has a ${per} of ${name} over all its runs, other keys have theirs`, LIMIT, async (t) => {
      const provider = await startProvider(t, (response) => response.end(answered))
      const budgetsOfKey = (keyId: string) => (keyId === 'ci' ? { [per]: budget } : {})
      const scene = await startScene(t, provider.address, { prices, budgetsOfKey })
      const first = await scene.begin({ runId: 'first', keyId: 'ci' })
      await scene.call(CHAT)
      await first.end()
      const second = await scene.begin({ runId: 'second', keyId: 'ci' })
      assert.equal(await callUntilRefused(scene), calls - 1)
      await second.end()
      assert.match(second.stops[0]?.message ?? '', /budget of the API key "ci"/)
      const other = await scene.begin({ runId: 'other', keyId: 'other' })
      assert.equal(await callUntilRefused(scene), 10)
      await other.end()
      const stored = scene.answered().filter(({ keyId }) => keyId === 'ci')
      assert.equal(stored.length, calls)
    })
  }
}

test('time is counted while runs work, of all runs of an account together', () => {
  let now = 0
  const account = createAccount({ ...noTotals, wallMs: 1_000 }, () => now)
  account.enter('one')
  account.enter('two')
  now = 2_000
  account.leave('one')
  now = 3_000
  assert.equal(account.spent().wallMs, 6_000)
  const about = { of: 'the run', account }
  const call = { model: 'm', priced: true }
  assert.equal(overBudget({ ...about, budget: { wallMs: 6_001 } }, call), undefined)
  assert.deepEqual(overBudget({ ...about, budget: { wallMs: 6_000 } }, call), {
    why: 'The budget of the run is 6 s of work; 6 s are over.',
    limit: 'wallMs',
    used: 6_000,
  })
})

test('how long a run has worked is stored with it, and counts after a restart', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answered))
  const scene = await startScene(t, provider.address)
  const run = await scene.begin()
  await scene.call(CHAT)
  await run.end()
  const { wallMs = 0, calls, model } = scene.stored.at(-1) ?? {}
  assert.deepEqual([calls, model], [0, 'acme/m'])
  const again = await scene.begin({ resumed: true, budget: { wallMs } })
  assert.equal((await scene.call(CHAT)).status, 403)
  assert.match(again.stops[0]?.message ?? '', /s of work/)
})
