import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeEngine } from '@opencode-gateway/executor-testing'
import type { LogEvent, ModelBudget, ModelRun, ModelStop, ReachedLimit, RunModels } from '@opencode-gateway/contracts'
import { raisedBudget } from '../src/run/raised-budget.ts'
import { begin, databaseFile, eventsUntilEnd, setup, stop, tenant, untilEvent } from './setup.ts'

interface Meters extends RunModels {
  begun: ModelRun[]
  raised: ModelBudget[]
  /** In the order in which sessions were expected, metered and expected no more. */
  told: string[]
  /** A call of the latest run waits at its limit. */
  reach(limit: ReachedLimit): void
}

/** Stands at the border to the models, and counts nothing. */
function createMeters(): Meters {
  let latest: { onStop(why: ModelStop): void; onLimit: ((reached: ReachedLimit) => void) | undefined } | undefined
  const meters: Meters = {
    begun: [],
    raised: [],
    told: [],
    keys: { keep() {}, of: () => undefined, end() {}, drop() {} },
    reach: (limit) => latest?.onLimit?.(limit),
    expect() {
      meters.told.push('expected')
      return { [Symbol.dispose]: () => void meters.told.push('no more') }
    },
    async begin(run, onStop, onLimit) {
      meters.begun.push(run)
      meters.told.push('metered')
      latest = { onStop, onLimit }
      return { usage: () => undefined, raise: (budget) => void meters.raised.push(budget), end: async () => {} }
    },
  }
  return meters
}

const isAsk = ({ type }: LogEvent): boolean => type === 'ask'
const limited = { budget: { calls: 3 }, raisableTo: { calls: 20 }, keyId: 'ci' }
const reached: ReachedLimit = { limit: 'calls', used: 3, budget: { calls: 3 }, message: 'all made' }
const held = 'gate: held\nsay: done'
const refused = (field: string) => (error: unknown) =>
  Object(error).code === 'INVALID_REQUEST' && Object(error).details.field === field

test('at a limit a run asks once, waits, and goes on with what it is raised to', async (t) => {
  const models = createMeters()
  const { sessions, executor } = await setup(t, { models })
  const { sessionId, runId } = await begin(sessions, held, limited)
  await executor.waitForGate('held', t.signal)
  models.reach(reached)
  models.reach(reached)
  const ask = await untilEvent(sessions, sessionId, t.signal, isAsk)
  assert.ok(ask.type === 'ask' && ask.data.kind === 'budget')
  const { message } = reached
  const told = { limit: 'calls', used: 3, budget: { calls: 3 }, at_most: { calls: 20 }, message }
  assert.deepEqual(ask.data.budget, told)
  assert.equal((await sessions.get(tenant, sessionId)).session.status, 'waiting_input')
  const answer = (given: Parameters<typeof sessions.answer>[3]) =>
    sessions.answer(tenant, sessionId, ask.data.ask_id, given, 'boss')
  await assert.rejects(answer({ reply: 'once' }), { code: 'INVALID_REQUEST' })
  await assert.rejects(answer({ raise: { calls: 18 } }), { code: 'INVALID_REQUEST' })
  assert.deepEqual(models.raised, [])
  await answer({ raise: { calls: 17 } })
  assert.deepEqual(models.raised, [{ calls: 20 }])
  assert.equal((await sessions.get(tenant, sessionId)).session.status, 'running')
  executor.release('held')
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'completed')
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  assert.equal(events.filter(isAsk).length, 1)
  const resolved = events.find(({ type }) => type === 'ask_resolved')
  assert.deepEqual(resolved?.data, {
    ask_id: ask.data.ask_id,
    answer: { raise: { calls: 17 } },
    by: 'client',
    key_id: 'boss',
    budget: { calls: 20 },
  })
  assert.deepEqual([models.begun[0]?.keyId, models.begun[0]?.raisableTo], ['ci', { calls: 20 }])
})

for (const [how, order, by] of [
  ['is told to stop', {}, 'client'],
  ['is answered by nobody', { askTimeoutMs: 20 }, 'timeout'],
] as const) {
  test(`a run at its limit that ${how} ends as budget_exceeded`, async (t) => {
    const models = createMeters()
    const { sessions, executor } = await setup(t, { models })
    const { sessionId, runId } = await begin(sessions, held, { ...limited, ...order })
    await executor.waitForGate('held', t.signal)
    models.reach(reached)
    const ask = await untilEvent(sessions, sessionId, t.signal, isAsk)
    assert.ok(ask.type === 'ask')
    if (by === 'client') await sessions.answer(tenant, sessionId, ask.data.ask_id, { stop: true })
    const { complete } = await sessions.waitForRun(runId, t.signal)
    assert.deepEqual([complete?.outcome, complete?.error?.code], ['budget_exceeded', 'BUDGET_EXCEEDED'])
    const resolved = (await eventsUntilEnd(sessions, sessionId, t.signal)).find(({ type }) => type === 'ask_resolved')
    assert.deepEqual([Object(resolved?.data).by, Object(resolved?.data).answer], [by, { stop: true }])
  })
}

test('after a restart the ask is open still, and what was raised before it holds', async (t) => {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const former = createMeters()
  const before = await setup(t, { file, executor: { engine }, models: former })
  const { sessionId, runId } = await begin(before.sessions, held, limited)
  await before.executor.waitForGate('held', t.signal)
  former.reach(reached)
  const first = await untilEvent(before.sessions, sessionId, t.signal, isAsk)
  assert.ok(first.type === 'ask')
  await before.sessions.answer(tenant, sessionId, first.data.ask_id, { raise: { calls: 2 } })
  former.reach({ ...reached, used: 5, budget: { calls: 5 } })
  const second = await untilEvent(
    before.sessions,
    sessionId,
    t.signal,
    ({ seq, type }) => type === 'ask' && seq > first.seq,
  )
  assert.ok(second.type === 'ask')
  await stop(before)
  const models = createMeters()
  const { sessions, executor } = await setup(t, { file, executor: { engine }, models })
  await sessions.answer(tenant, sessionId, second.data.ask_id, { raise: { calls: 4 } })
  assert.deepEqual([models.begun[0]?.budget, models.raised], [{ calls: 5 }, [{ calls: 9 }]])
  executor.release('held')
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'completed')
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  assert.deepEqual([events.filter(isAsk).length, events.filter(({ type }) => type === 'ask_resolved').length], [2, 2])
  assert.deepEqual(models.told.slice(0, 2), ['expected', 'metered'])
})

test('a budget is raised by what it has, and not beyond what is allowed', () => {
  const raise = (more: ModelBudget, raisableTo: ModelBudget = {}) =>
    raisedBudget({ calls: 3, wallMs: 60_000 }, more, { reached: 'calls', raisableTo })
  assert.deepEqual(raise({ calls: 2, wallMs: 30_000 }), { calls: 5, wallMs: 90_000 })
  assert.throws(() => raise({ wallMs: 30_000 }), refused('raise.calls'))
  assert.throws(() => raise({ calls: 1, tokens: 5 }), refused('raise.tokens'))
  assert.throws(() => raise({ calls: 3 }, { calls: 5 }), refused('raise.calls'))
})
