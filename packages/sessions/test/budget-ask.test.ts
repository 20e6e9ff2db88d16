import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeEngine } from '@opencode-gateway/executor-testing'
import type {
  LogEvent,
  ModelBudget,
  ModelRun,
  ModelStop,
  RaisedLimit,
  ReachedLimit,
  RunModels,
} from '@opencode-gateway/contracts'
import { raisedBudget } from '../src/run/raised-budget.ts'
import { begin, databaseFile, eventsUntilEnd, setup, stop, tenant, untilEvent } from './setup.ts'

interface Meters extends RunModels {
  begun: ModelRun[]
  raised: ModelBudget[]
  /** In the order in which sessions were expected, metered and expected no more. */
  told: string[]
  /** A call of the latest run waits at a limit; undefined: none does any more. */
  reach(limit: ReachedLimit | undefined): void
}

/** Stands at the border to the models, and counts nothing. */
function createMeters(): Meters {
  let latest: { onStop(why: ModelStop): void; onLimit: ((reached?: ReachedLimit) => void) | undefined } | undefined
  const sharedBudget = {
    budget: () => ({ calls: 100 }),
    toStore: ({ calls = 0 }: ModelBudget) => [{ ...storedRaise, more: calls }],
    raise: (more: ModelBudget) => void meters.raised.push(more),
  }
  const meters: Meters = {
    begun: [],
    raised: [],
    told: [],
    keys: { keep() {}, of: () => undefined, keepForSession() {}, ofSession: () => undefined, drop() {} },
    reach: (limit) => latest?.onLimit?.(limit),
    expect() {
      meters.told.push('expected')
      return { [Symbol.dispose]: () => void meters.told.push('no more') }
    },
    async begin(run, onStop, onLimit) {
      meters.begun.push(run)
      meters.told.push('metered')
      latest = { onStop, onLimit }
      return {
        usage: () => undefined,
        raise: (budget) => void meters.raised.push(budget),
        shared: (of, day) => (of === 'key_day' && day === today ? sharedBudget : undefined),
        end: async () => {},
      }
    },
  }
  return meters
}

const today = '2026-11-21'
const storedRaise: RaisedLimit = { owner: 'key_day', id: 'ci', day: today, limit: 'calls', configured: 50, more: 0 }
const isAsk = ({ type }: LogEvent): boolean => type === 'ask'
const limited = { budget: { calls: 3 }, raisableTo: { calls: 20 }, keyId: 'ci' }
const reached: ReachedLimit = { of: 'run', limit: 'calls', used: 3, budget: { calls: 3 }, message: 'all made' }
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
  const told = { of: 'run', limit: 'calls', used: 3, budget: { calls: 3 }, at_most: { calls: 20 }, message }
  assert.deepEqual(ask.data.budget, told)
  assert.equal((await sessions.get(tenant, sessionId)).session.status, 'waiting_input')
  const answer = (given: Parameters<typeof sessions.answer>[3]) =>
    sessions.answer(tenant, sessionId, ask.data.ask_id, given, { keyId: 'boss' })
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
    of: 'run',
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

const ofKeyDay: ReachedLimit = { ...reached, of: 'key_day', day: today, used: 100, budget: { calls: 100 } }

test('the budget of a key is raised by whoever may, and that is stored with the answer', async (t) => {
  const models = createMeters()
  const { sessions, executor, store } = await setup(t, { models })
  const { sessionId, runId } = await begin(sessions, held, limited)
  await executor.waitForGate('held', t.signal)
  models.reach(ofKeyDay)
  const ask = await untilEvent(sessions, sessionId, t.signal, isAsk)
  assert.ok(ask.type === 'ask')
  const { message } = reached
  const told = { of: 'key_day', day: today, limit: 'calls', used: 100, budget: { calls: 100 } }
  assert.deepEqual(ask.data.budget, { ...told, at_most: {}, scope: 'budgets:write', message })
  const answer = (mayRaise: boolean, calls: number) =>
    sessions.answer(tenant, sessionId, ask.data.ask_id, { raise: { calls } }, { keyId: 'boss', mayRaise })
  await assert.rejects(answer(false, 7), { code: 'FORBIDDEN', message: /"budgets:write"/ })
  assert.equal((await sessions.asks(tenant, sessionId)).length, 1, 'it waits still')
  assert.deepEqual([models.raised, await store.listRaised({ owner: 'key_day', id: 'ci' })], [[], []])
  await answer(true, 7)
  assert.deepEqual(models.raised, [{ calls: 7 }])
  assert.deepEqual(await store.listRaised({ owner: 'key_day', id: 'ci' }), [{ ...storedRaise, more: 7 }])
  executor.release('held')
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'completed')
  const resolved = (await eventsUntilEnd(sessions, sessionId, t.signal)).find(({ type }) => type === 'ask_resolved')
  assert.deepEqual([Object(resolved?.data).of, Object(resolved?.data).budget], ['key_day', { calls: 107 }])
})

test('a raise for a day that is over raises nothing, and lets the run go on', async (t) => {
  const models = createMeters()
  const { sessions, executor, store } = await setup(t, { models })
  const { sessionId, runId } = await begin(sessions, held, limited)
  await executor.waitForGate('held', t.signal)
  models.reach({ ...ofKeyDay, day: '2026-11-20' })
  const ask = await untilEvent(sessions, sessionId, t.signal, isAsk)
  assert.ok(ask.type === 'ask')
  await sessions.answer(tenant, sessionId, ask.data.ask_id, { raise: { calls: 7 } }, { mayRaise: true })
  assert.deepEqual(models.raised, [limited.budget], 'what waited is looked at again')
  assert.deepEqual(await store.listRaised({ owner: 'key_day', id: 'ci' }), [])
  executor.release('held')
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'completed')
})

test('what nobody waits for any more is asked no longer, and another limit is asked instead', async (t) => {
  const models = createMeters()
  const { sessions, executor } = await setup(t, { models })
  const { sessionId, runId } = await begin(sessions, held, limited)
  await executor.waitForGate('held', t.signal)
  for (const limit of [ofKeyDay, ofKeyDay, reached, undefined, undefined]) models.reach(limit)
  executor.release('held')
  await sessions.waitForRun(runId, t.signal)
  const told = (await eventsUntilEnd(sessions, sessionId, t.signal)).flatMap(({ type, data }) =>
    type === 'ask' ? [data.budget?.of] : type === 'ask_resolved' ? [data.by] : [],
  )
  assert.deepEqual(told, ['key_day', 'policy', 'run', 'policy'])
  assert.deepEqual(models.raised, [])
})

test('a budget is raised by what it has, and not beyond what is allowed', () => {
  const raise = (more: ModelBudget, raisableTo: ModelBudget = {}) =>
    raisedBudget({ calls: 3, wallMs: 60_000 }, more, { reached: 'calls', raisableTo })
  assert.deepEqual(raise({ calls: 2, wallMs: 30_000 }), { calls: 5, wallMs: 90_000 })
  assert.throws(() => raise({ wallMs: 30_000 }), refused('raise.calls'))
  assert.throws(() => raise({ calls: 1, tokens: 5 }), refused('raise.tokens'))
  assert.throws(() => raise({ calls: 3 }, { calls: 5 }), refused('raise.calls'))
})
