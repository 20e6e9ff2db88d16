import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeEngine } from '@opencode-gateway/executor-testing'
import { begin, databaseFile, eventsUntilEnd, setup, stop, tenant, textOf, untilEvent } from './setup.ts'

test('a queued run survives a restart', async (t) => {
  const file = await databaseFile(t)
  const before = await setup(t, { file, paused: true })
  const { sessionId, runId } = await begin(before.sessions, 'say: after the restart')
  await stop(before)
  const after = await setup(t, { file })
  assert.equal((await after.sessions.waitForRun(runId, t.signal)).state, 'completed')
  assert.equal(textOf(await eventsUntilEnd(after.sessions, sessionId, t.signal)), 'after the restart')
})

test('a run whose engine survived is resumed, and its transcript has no gap and no duplicate', async (t) => {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const before = await setup(t, { file, executor: { engine } })
  const { sessionId, runId } = await begin(before.sessions, 'say: first \ngate: middle\nsay: last')
  await untilEvent(before.sessions, sessionId, t.signal, (event) => event.type === 'output')
  await before.executor.waitForGate('middle', t.signal)
  await stop(before)
  const after = await setup(t, { file, executor: { engine } })
  after.executor.release('middle')
  const run = await after.sessions.waitForRun(runId, t.signal)
  assert.equal(run.state, 'completed')
  const events = await eventsUntilEnd(after.sessions, sessionId, t.signal)
  assert.equal(textOf(events), run.complete?.final_message)
  assert.deepEqual(
    events.map((event) => event.seq),
    events.map((_, i) => i + 1),
  )
  assert.equal(events.filter((event) => event.type === 'complete').length, 1)
})

test('a run whose engine is gone ends interrupted and says that it may have had side effects', async (t) => {
  const file = await databaseFile(t)
  const before = await setup(t, { file })
  const { sessionId, runId } = await begin(before.sessions, 'hang')
  await untilEvent(
    before.sessions,
    sessionId,
    t.signal,
    (event) => event.type === 'status' && event.data.status === 'running',
  )
  await stop(before)
  const after = await setup(t, { file })
  const run = await after.sessions.waitForRun(runId, t.signal)
  assert.equal(run.state, 'interrupted')
  assert.equal(run.complete?.side_effects, 'possible')
  assert.equal(run.complete?.error?.retryable, true)
})

test('a session whose engine cannot be asked does not keep the gateway from starting', async (t) => {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const before = await setup(t, { file, executor: { engine } })
  const { runId } = await begin(before.sessions, 'gate: never')
  await before.executor.waitForGate('never', t.signal)
  await stop(before)
  const after = await setup(t, { file, executor: { engine }, paused: true })
  after.executor.attach = () => Promise.reject(new Error('the engine does not answer'))
  await after.sessions.start(t.signal)
  assert.equal((await after.sessions.waitForRun(runId, t.signal)).state, 'interrupted')
})

test('at the start what no session needs is swept, and what a session holds stays', async (t) => {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const before = await setup(t, { file, executor: { engine } })
  const kept = await begin(before.sessions, 'write: kept.txt | x')
  await before.sessions.waitForRun(kept.runId, t.signal)
  const ctx = { signal: t.signal, log: { debug() {}, info() {}, warn() {}, error() {}, child: () => ctx.log } }
  await before.executor.open({ sessionId: 'orphan', title: 'of a crash' }, ctx)
  await stop(before)
  const after = await setup(t, { file, executor: { engine } })
  const follow = await after.sessions.addRun(tenant, kept.sessionId, {
    kind: 'prompt',
    prompt: 'read: kept.txt',
    timeoutMs: 60_000,
    onBusy: 'queue',
    requestId: 'q',
  })
  assert.equal((await after.sessions.waitForRun(follow.run.runId, t.signal)).state, 'completed')
  await after.sessions.remove(tenant, kept.sessionId)
  assert.deepEqual(after.executor.leftovers(), [])
})

test('a run that is cancelled before it is found again is cancelled in its engine, too', async (t) => {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const before = await setup(t, { file, executor: { engine } })
  const { sessionId, runId } = await begin(before.sessions, 'gate: never')
  await before.executor.waitForGate('never', t.signal)
  await stop(before)
  const after = await setup(t, { file, executor: { engine }, paused: true })
  await after.store.requestCancel(sessionId, Date.now())
  await after.sessions.start(t.signal)
  const run = await after.sessions.waitForRun(runId, t.signal)
  assert.equal(run.state, 'cancelled')
  assert.equal(engine.sessions.get(sessionId)?.run?.outcome()?.status, 'cancelled')
})
