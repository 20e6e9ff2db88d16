import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError, type LogEvent } from '@opencode-gateway/contracts'
import { createFakeEngine } from '@opencode-gateway/executor-testing'
import { begin, databaseFile, eventsUntilEnd, prompt, setup, stop, tenant, untilEvent } from './setup.ts'

const code = (expected: string) => (error: unknown) => error instanceof GatewayError && error.code === expected
const interactive = { interactive: true } as const
const question = 'question: Colour | Which colour? | red | blue\nsay: thank you'
const isAsk = (event: LogEvent) => event.type === 'ask'

test('an ask makes the run wait, shows who is asked, and goes on with the answer', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId, runId } = await begin(sessions, question, interactive)
  const ask = await untilEvent(sessions, sessionId, t.signal, isAsk)
  assert.equal((await sessions.get(tenant, sessionId)).session.status, 'waiting_input')
  const [waiting] = await sessions.asks(tenant, sessionId)
  assert.ok(ask.type === 'ask' && waiting?.askId === ask.data.ask_id && waiting.runId === runId)
  assert.equal(Date.parse(ask.data.expires_at), waiting.expiresAt)
  await sessions.answer(tenant, sessionId, waiting.askId, { answers: [['blue']] })
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  const resolved = events.find((event) => event.type === 'ask_resolved')
  assert.ok(resolved?.type === 'ask_resolved')
  assert.deepEqual(resolved.data, { ask_id: waiting.askId, answer: { answers: [['blue']] }, by: 'client' })
  assert.equal(events.at(-1)?.type === 'complete' && (await sessions.waitForRun(runId, t.signal)).state, 'completed')
  assert.deepEqual(await sessions.asks(tenant, sessionId), [])
})

test('an ask nobody answers is refused when its time is over', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId } = await begin(sessions, question, { ...interactive, askTimeoutMs: 50 })
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  const resolved = events.find((event) => event.type === 'ask_resolved')
  assert.ok(resolved?.type === 'ask_resolved')
  assert.deepEqual([resolved.data.by, resolved.data.answer], ['timeout', { reject: true }])
  const end = events.at(-1)
  assert.ok(end?.type === 'complete')
  assert.deepEqual([end.data.outcome, end.data.error?.code], ['timed_out', 'ASK_TIMEOUT'])
  const late = sessions.answer(tenant, sessionId, resolved.data.ask_id, { answers: [['blue']] })
  await assert.rejects(late, code('ASK_RESOLVED'))
})

test('the time of an ask goes on while the gateway is away', async (t) => {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const before = await setup(t, { file, executor: { engine } })
  const { sessionId, runId } = await begin(before.sessions, question, { ...interactive, askTimeoutMs: 1_000 })
  await untilEvent(before.sessions, sessionId, t.signal, isAsk)
  await stop(before)
  const { sessions } = await setup(t, { file, executor: { engine } })
  const { complete } = await sessions.waitForRun(runId, t.signal)
  assert.equal(complete?.error?.code, 'ASK_TIMEOUT')
})

test('a run that a client ended with a refusal did not time out', async (t) => {
  const { sessions } = await setup(t)
  const twice = 'run: echo one\nrun: echo two\nsay: done'
  const permissions = { bash: 'ask' } as const
  const { sessionId, runId } = await begin(sessions, twice, { ...interactive, permissions })
  const first = await untilEvent(sessions, sessionId, t.signal, isAsk)
  assert.ok(first.type === 'ask')
  await sessions.answer(tenant, sessionId, first.data.ask_id, { reply: 'once' })
  const second = await untilEvent(sessions, sessionId, t.signal, ({ seq, type }) => type === 'ask' && seq > first.seq)
  assert.ok(second.type === 'ask')
  await sessions.answer(tenant, sessionId, second.data.ask_id, { reply: 'reject' })
  const { complete } = await sessions.waitForRun(runId, t.signal)
  assert.deepEqual([complete?.outcome, complete?.error?.code], ['failed', 'AGENT_STOPPED'])
})

test('an ask that is over is told apart from one that never was, also after a restart', async (t) => {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const before = await setup(t, { file, executor: { engine } })
  const { sessionId } = await begin(before.sessions, `${question}\ngate: held`, interactive)
  const ask = await untilEvent(before.sessions, sessionId, t.signal, isAsk)
  assert.ok(ask.type === 'ask')
  const { ask_id: askId } = ask.data
  await before.sessions.answer(tenant, sessionId, askId, { answers: [['red']] })
  await untilEvent(before.sessions, sessionId, t.signal, ({ type }) => type === 'ask_resolved')
  await stop(before)
  const { sessions, executor } = await setup(t, { file, executor: { engine } })
  const again = (id: string) => sessions.answer(tenant, sessionId, id, { answers: [['blue']] })
  await assert.rejects(again(askId), code('ASK_RESOLVED'))
  await sessions.cancel(tenant, sessionId)
  await assert.rejects(again(askId), code('ASK_RESOLVED'))
  await assert.rejects(again('another'), code('ASK_NOT_FOUND'))
  const other = await begin(sessions, 'say: hi')
  await assert.rejects(sessions.answer(tenant, other.sessionId, askId, { reject: true }), code('ASK_NOT_FOUND'))
  executor.release('held')
})

test('an ask takes one answer, of the right kind, from its own tenant', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId, runId } = await begin(sessions, question, interactive)
  await untilEvent(sessions, sessionId, t.signal, isAsk)
  const askId = (await sessions.asks(tenant, sessionId))[0]?.askId ?? ''
  await assert.rejects(sessions.answer('other', sessionId, askId, { reject: true }), code('SESSION_NOT_FOUND'))
  await assert.rejects(sessions.answer(tenant, sessionId, 'unknown', { reject: true }), code('ASK_NOT_FOUND'))
  await assert.rejects(sessions.answer(tenant, sessionId, askId, { reply: 'once' }), code('INVALID_REQUEST'))
  const both = [
    sessions.answer(tenant, sessionId, askId, { answers: [['red']] }),
    sessions.answer(tenant, sessionId, askId, { answers: [['blue']] }),
  ]
  const results = await Promise.allSettled(both)
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  await assert.rejects(both[1] ?? Promise.resolve(), code('ASK_RESOLVED'))
  await sessions.waitForRun(runId, t.signal)
  await assert.rejects(sessions.answer(tenant, sessionId, askId, { reject: true }), code('ASK_RESOLVED'))
})

test('while an ask waits the run is not idle', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId, runId } = await begin(sessions, question, {
    ...interactive,
    idleTimeoutMs: 40,
    askTimeoutMs: 200,
  })
  await untilEvent(sessions, sessionId, t.signal, isAsk)
  const run = await sessions.waitForRun(runId, t.signal)
  assert.notEqual(run.complete?.error?.code, 'IDLE_TIMEOUT')
})

test('an ask survives a restart and can be answered after it', async (t) => {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const before = await setup(t, { file, executor: { engine } })
  const { sessionId, runId } = await begin(before.sessions, question, interactive)
  await untilEvent(before.sessions, sessionId, t.signal, isAsk)
  await stop(before)
  const { sessions } = await setup(t, { file, executor: { engine } })
  const [waiting] = await sessions.asks(tenant, sessionId)
  assert.ok(waiting)
  await sessions.answer(tenant, sessionId, waiting.askId, { answers: [['red']] })
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'completed')
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  assert.equal(events.filter(isAsk).length, 1)
  assert.equal(events.filter((event) => event.type === 'ask_resolved').length, 1)
})

test('a failed run can be run again, a completed one cannot', async (t) => {
  const { sessions, executor } = await setup(t)
  const { sessionId, runId } = await begin(sessions, 'error: 401 refused')
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'failed')
  const again = await sessions.retry(tenant, sessionId, 'again')
  assert.notEqual(again.run.runId, runId)
  await sessions.waitForRun(again.run.runId, t.signal)
  assert.deepEqual(
    executor.inputs().map((input) => (input.kind === 'prompt' ? input.prompt : input.command)),
    ['error: 401 refused', 'error: 401 refused'],
  )
  const good = await sessions.addRun(tenant, sessionId, { ...prompt('say: ok'), onBusy: 'queue', requestId: 'q' })
  await sessions.waitForRun(good.run.runId, t.signal)
  await assert.rejects(sessions.retry(tenant, sessionId, 'again'), code('NOTHING_TO_RETRY'))
})

test('an agent is told to wrap up when two thirds of its time are over', async (t) => {
  const { sessions, executor } = await setup(t)
  const { runId } = await begin(sessions, 'hang', { timeoutMs: 300, wrapUp: 'finish up' })
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'timed_out')
  assert.deepEqual(
    executor.steered().map(({ text }) => text),
    ['finish up'],
  )
})
