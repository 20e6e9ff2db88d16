import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '@opencode-gateway/contracts'
import { begin, eventsUntilEnd, prompt, setup, tenant, textOf, untilEvent } from './setup.ts'

const code = (expected: string) => (error: unknown) => error instanceof GatewayError && error.code === expected

test('a run goes from pending to its one ending, and its deltas are its answer', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId, runId } = await begin(sessions, 'say: hello there')
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  assert.deepEqual(
    events.map((event) => event.seq),
    events.map((_, i) => i + 1),
  )
  const statuses = events.flatMap((event) => (event.type === 'status' ? [event.data.status] : []))
  assert.equal(statuses[0], 'pending')
  assert.equal(statuses.at(-1), 'running')
  assert.equal(events.filter((event) => event.type === 'complete').length, 1)
  const last = events.at(-1)
  assert.ok(last?.type === 'complete')
  assert.equal(last.data.outcome, 'completed')
  assert.equal(last.data.final_message, 'hello there')
  assert.equal(textOf(events), 'hello there')
  const run = await sessions.waitForRun(runId, t.signal)
  assert.deepEqual(run.complete, last.data)
})

test('follow-ups wait in line and run one after the other', async (t) => {
  const { sessions, executor } = await setup(t)
  const { sessionId, runId } = await begin(sessions, 'gate: first\nsay: one')
  await executor.waitForGate('first', t.signal)
  const second = await sessions.addRun(tenant, sessionId, { ...prompt('say: two'), onBusy: 'queue', requestId: 'q' })
  const { current, reasons } = await sessions.get(tenant, sessionId)
  assert.equal(current?.runId, runId)
  assert.deepEqual([...reasons], [[second.run.runId, 'session_busy']])
  executor.release('first')
  await sessions.waitForRun(second.run.runId, t.signal)
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  const firstEnd = events.findIndex((event) => event.type === 'complete' && event.runId === runId)
  const secondStart = events.findIndex((event) => event.runId === second.run.runId && event.type === 'output')
  assert.ok(firstEnd >= 0 && firstEnd < secondStart)
})

test('a prompt has the model of the prompt before it, also over a command', async (t) => {
  const { sessions } = await setup(t)
  const asked = { model: 'acme/one', modelOptions: { provider: 'acme' } }
  const { sessionId } = await begin(sessions, 'say: one', asked)
  const next = { onBusy: 'queue', requestId: 'q' } as const
  await sessions.addRun(tenant, sessionId, { kind: 'shell', command: 'say: two', timeoutMs: 60_000, ...next })
  const { run } = await sessions.addRun(tenant, sessionId, { ...prompt('say: three', { inheritModel: true }), ...next })
  assert.ok(run.input.kind === 'prompt')
  const { model, modelOptions } = run.input
  assert.deepEqual({ model, modelOptions }, asked)
})

test('a follow-up is rejected while the session is busy, when it asks for that', async (t) => {
  const { sessions, executor } = await setup(t)
  const { sessionId } = await begin(sessions, 'gate: g\nsay: one')
  await executor.waitForGate('g', t.signal)
  await assert.rejects(
    sessions.addRun(tenant, sessionId, { ...prompt('say: two'), onBusy: 'reject', requestId: 'q' }),
    code('SESSION_BUSY'),
  )
})

test('a follow-up that interrupts cancels the run before it', async (t) => {
  const { sessions, executor } = await setup(t)
  const { sessionId, runId } = await begin(sessions, 'hang')
  await untilEvent(sessions, sessionId, t.signal, (event) => event.type === 'status' && event.data.status === 'running')
  const next = await sessions.addRun(tenant, sessionId, { ...prompt('say: two'), onBusy: 'interrupt', requestId: 'q' })
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'cancelled')
  assert.equal((await sessions.waitForRun(next.run.runId, t.signal)).complete?.final_message, 'two')
  assert.equal(executor.inputs().length, 2)
})

test('the wall limit ends a run that hangs, and the executor has stopped it', async (t) => {
  const { sessions } = await setup(t)
  const { runId } = await begin(sessions, 'hang', { timeoutMs: 50 })
  const run = await sessions.waitForRun(runId, t.signal)
  assert.equal(run.state, 'timed_out')
  assert.equal(run.complete?.error?.code, 'RUN_TIMEOUT')
  assert.ok(run.complete?.receipt)
})

test('cancelling twice gives the same end, and cancelling an ended session does nothing', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId, runId } = await begin(sessions, 'hang')
  await untilEvent(sessions, sessionId, t.signal, (event) => event.type === 'status' && event.data.status === 'running')
  const [first, second] = await Promise.all([sessions.cancel(tenant, sessionId), sessions.cancel(tenant, sessionId)])
  assert.ok(first.cancelledRuns.includes(runId) || second.cancelledRuns.includes(runId))
  const again = await sessions.cancel(tenant, sessionId)
  assert.deepEqual(again.cancelledRuns, [])
  assert.equal(again.session.status, 'cancelled')
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  assert.equal(events.filter((event) => event.type === 'complete').length, 1)
})

test('a cancellation that the executor does not confirm ends the run at once, and the receipt claims no quiet', async (t) => {
  // Whoever waits for the grace to pass waits longer than the test.
  const { sessions } = await setup(t, {
    limits: { cancelGraceMs: 3_600_000 },
    executor: { cancelling: () => ({ error: new GatewayError('EXECUTOR_UNAVAILABLE', 'the engine does not obey') }) },
  })
  const { sessionId, runId } = await begin(sessions, 'hang')
  await untilEvent(sessions, sessionId, t.signal, (event) => event.type === 'status' && event.data.status === 'running')
  const { receipt, cancelledRuns } = await sessions.cancel(tenant, sessionId)
  assert.deepEqual(receipt, { aborted_sessions: 0, killed: 0, escalated: false })
  assert.deepEqual(cancelledRuns, [runId])
})

test('a queued run that is cancelled never reaches the executor', async (t) => {
  const { sessions, executor } = await setup(t, { limits: { maxConcurrentRuns: 1 } })
  await begin(sessions, 'gate: g\nsay: one')
  await executor.waitForGate('g', t.signal)
  const waiting = await begin(sessions, 'say: two')
  const result = await sessions.cancel(tenant, waiting.sessionId)
  assert.deepEqual(result.cancelledRuns, [waiting.runId])
  executor.release('g')
  assert.equal((await sessions.waitForRun(waiting.runId, t.signal)).state, 'cancelled')
  assert.equal(executor.inputs().length, 1)
})

test('a run that is cancelled while its session is opened ends at once, and nothing is left of it', async (t) => {
  const { sessions, executor } = await setup(t, { executor: { opening: () => ({ gate: 'never' }) } })
  const { sessionId, runId } = await begin(sessions, 'say: never')
  await executor.waitForGate('never', t.signal)
  const { cancelledRuns, receipt } = await sessions.cancel(tenant, sessionId)
  assert.deepEqual(cancelledRuns, [runId])
  assert.deepEqual(receipt, { aborted_sessions: 0, killed: 0, quiet_after_ms: 0, escalated: false })
  assert.deepEqual([executor.inputs(), executor.leftovers()], [[], []])
})

test('a session that cannot be opened is tried again, then the run fails with the executor’s reason', async (t) => {
  let tries = 0
  const { sessions } = await setup(t, {
    executor: {
      opening: () => {
        tries += 1
        return { error: new GatewayError('EXECUTOR_UNAVAILABLE', 'the engine is down') }
      },
    },
  })
  const { runId } = await begin(sessions, 'say: hello')
  const run = await sessions.waitForRun(runId, t.signal)
  assert.equal(run.complete?.error?.code, 'EXECUTOR_UNAVAILABLE')
  assert.equal(tries, 3)
})

test('an executor that never opens a session is given up after the start limit', async (t) => {
  const { sessions } = await setup(t, {
    executor: { opening: () => ({ gate: 'never' }) },
    limits: { startTimeoutMs: 50 },
  })
  const { runId } = await begin(sessions, 'say: hello')
  assert.equal((await sessions.waitForRun(runId, t.signal)).complete?.error?.code, 'START_TIMEOUT')
})

test('more runs than may wait are refused and leave nothing behind', async (t) => {
  const { sessions, store } = await setup(t, { paused: true, limits: { maxConcurrentRuns: 1, maxQueuedRuns: 1 } })
  await begin(sessions, 'say: 1')
  await begin(sessions, 'say: 2')
  await assert.rejects(begin(sessions, 'say: 3'), code('QUEUE_FULL'))
  assert.equal((await store.listOpenRuns(10)).length, 2)
  assert.equal((await sessions.list({ tenant, limit: 10 })).length, 2)
})

test('a run that can start at once does not wait, not even where none may', async (t) => {
  const { sessions, executor } = await setup(t, { limits: { maxConcurrentRuns: 2, maxQueuedRuns: 0 } })
  const first = await begin(sessions, 'gate: first')
  const second = await begin(sessions, 'gate: second')
  await executor.waitForGate('first', t.signal)
  await assert.rejects(begin(sessions, 'say: 3'), code('QUEUE_FULL'))
  executor.release('first')
  await sessions.waitForRun(first.runId, t.signal)
  const third = await begin(sessions, 'say: 3')
  assert.equal((await sessions.waitForRun(third.runId, t.signal)).state, 'completed')
  executor.release('second')
  assert.equal((await sessions.waitForRun(second.runId, t.signal)).state, 'completed')
})

test('another tenant sees nothing of a session', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId } = await begin(sessions, 'say: secret')
  const signal = t.signal
  for (const attempt of [
    () => sessions.get('other', sessionId),
    () => sessions.cancel('other', sessionId),
    () => sessions.remove('other', sessionId),
    () => sessions.read('other', sessionId, { after: 0, limit: 1 }),
    () => sessions.addRun('other', sessionId, { ...prompt('say: x'), onBusy: 'queue', requestId: 'q' }),
    () => sessions.follow('other', sessionId, { after: 0, limit: 1, signal })[Symbol.asyncIterator]().next(),
  ]) {
    await assert.rejects(attempt(), code('SESSION_NOT_FOUND'))
  }
})

test('a one-shot session is released when its run has ended, a kept one is not', async (t) => {
  const { sessions, store, executor } = await setup(t)
  const create = (keepWorkspace: boolean) =>
    sessions.create({ tenant, requestId: 'q', run: prompt('say: x'), oneShot: true, keepWorkspace })
  const gone = await create(false)
  const kept = await create(true)
  for (const { run } of [gone, kept]) await sessions.waitForRun(run?.runId ?? '', t.signal)
  await sessions.drain(t.signal)
  assert.ok((await store.getSession(gone.session.sessionId))?.releasedAt)
  assert.equal((await store.getSession(kept.session.sessionId))?.releasedAt, undefined)
  assert.ok(executor.leftovers().length > 0)
  await sessions.remove(tenant, kept.session.sessionId)
  assert.deepEqual(executor.leftovers(), [])
})

test('a removed session takes no more runs but can still be read', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId, runId } = await begin(sessions, 'say: x')
  await sessions.waitForRun(runId, t.signal)
  await sessions.remove(tenant, sessionId)
  await sessions.remove(tenant, sessionId)
  await assert.rejects(
    sessions.addRun(tenant, sessionId, { ...prompt('say: y'), onBusy: 'queue', requestId: 'q' }),
    code('SESSION_CLOSED'),
  )
  assert.equal(textOf(await eventsUntilEnd(sessions, sessionId, t.signal)), 'x')
})

test('output beyond the limit is cut off with a mark and the run goes on to its end', async (t) => {
  const { sessions } = await setup(t, { limits: { maxOutputBytes: 100 } })
  const { sessionId } = await begin(sessions, 'long: 1000')
  const events = await eventsUntilEnd(sessions, sessionId, t.signal)
  assert.equal(textOf(events).length, 100)
  assert.ok(events.some((event) => event.type === 'output' && event.data.truncated === true))
  assert.equal(events.at(-1)?.type, 'complete')
})

test('draining takes no new work and waits for what is at work', async (t) => {
  const { sessions, executor } = await setup(t)
  const { runId } = await begin(sessions, 'gate: g\nsay: done')
  await executor.waitForGate('g', t.signal)
  const drained = sessions.drain(t.signal)
  await assert.rejects(begin(sessions, 'say: late'), code('SHUTTING_DOWN'))
  executor.release('g')
  await drained
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'completed')
})

test('a run that goes silent ends with its own code', async (t) => {
  const { sessions } = await setup(t, { limits: { idleTimeoutMs: 50 } })
  const { runId } = await begin(sessions, 'hang')
  assert.equal((await sessions.waitForRun(runId, t.signal)).complete?.error?.code, 'IDLE_TIMEOUT')
})

test('an endless loop of the model ends as a failure', async (t) => {
  const { sessions } = await setup(t, { limits: { maxModelCalls: 5 } })
  const { runId } = await begin(sessions, 'loop: run: true')
  const run = await sessions.waitForRun(runId, t.signal)
  assert.deepEqual([run.state, run.complete?.error?.code], ['failed', 'MODEL_LOOP'])
  // The fake engine has a limit of its own.
  assert.match(run.complete?.error?.message ?? '', /a run may call it 5 times/)
})

test('a provider that asks to wait for an hour ends the run at once, with the wait in the error', async (t) => {
  const { sessions } = await setup(t)
  const { runId } = await begin(sessions, 'error: 429 retry-after=3600 slow down')
  const run = await sessions.waitForRun(runId, t.signal)
  assert.deepEqual([run.state, run.complete?.error?.code], ['failed', 'PROVIDER_RATE_LIMITED'])
  assert.match(run.complete?.error?.message ?? '', /wait 3600 s/)
})

test('of several messages that interrupt at once the newest runs', async (t) => {
  const { sessions } = await setup(t)
  const { sessionId } = await begin(sessions, 'hang')
  await untilEvent(sessions, sessionId, t.signal, (event) => event.type === 'status' && event.data.status === 'running')
  const interrupting = ['a', 'b', 'c', 'd'].map((word) =>
    sessions.addRun(tenant, sessionId, { ...prompt(`say: ${word}`), onBusy: 'interrupt', requestId: word }),
  )
  await Promise.all(interrupting)
  await eventsUntilEnd(sessions, sessionId, t.signal)
  const { runs } = await sessions.get(tenant, sessionId)
  assert.equal(runs.at(-1)?.state, 'completed')
})

test('who waits for a run in line is told when it will not start before the gateway stops', async (t) => {
  const { sessions, executor } = await setup(t, { limits: { maxConcurrentRuns: 1 } })
  await begin(sessions, 'gate: g\nsay: one')
  await executor.waitForGate('g', t.signal)
  const { runId } = await begin(sessions, 'say: two')
  const waiting = assert.rejects(sessions.waitForRun(runId, t.signal), code('SHUTTING_DOWN'))
  const drained = sessions.drain(t.signal)
  await waiting
  executor.release('g')
  await drained
})
