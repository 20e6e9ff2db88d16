import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { readEvents } from './event-source.ts'
import { eventually, startGateway, type Gateway } from './gateway.ts'

interface Begun {
  id: string
  runId: string | null
  status: string
}

const begin = async ({ call }: Gateway, body: unknown): Promise<Begun> => {
  const made = await call('POST', '/sessions', body)
  assert.equal(made.status, 201, made.text)
  const { session_id: id, run_id: runId, status } = made.json()
  assert.ok(typeof id === 'string' && typeof status === 'string' && (typeof runId === 'string' || runId === null))
  return { id, runId, status }
}

const untilStatus = (t: Parameters<typeof eventually>[0], { call }: Gateway, id: string, status: string) =>
  eventually(t, async () => (await call('GET', `/sessions/${id}/status`)).json().status === status)

test('B2: a session with a prompt is made and works', async (t) => {
  const gateway = await startGateway(t)
  const { call } = gateway
  const answer = await call('POST', '/sessions', { prompt: 'say: hi', labels: { team: 'a/b' }, timeout: '5m' })
  assert.equal(answer.status, 201)
  const body = answer.json()
  assert.deepEqual(Object.keys(body).toSorted(), [
    'created_at',
    'remote_session_id',
    'run_id',
    'session_id',
    'status',
    'status_url',
    'stream_url',
  ])
  assert.equal(body.status, 'pending')
  const id = String(body.session_id)
  assert.equal(answer.headers.get('location'), `/sessions/${id}`)
  await untilStatus(t, gateway, id, 'completed')
  const session = (await call('GET', `/sessions/${id}`)).json()
  assert.deepEqual(session.labels, { team: 'a/b' })
  assert.equal(session.closed, false)
  assert.deepEqual(session.asks, [])
  assert.ok(Array.isArray(session.runs))
  assert.equal(session.runs.length, 1)
  assert.equal(Object(session.runs[0]).prompt, 'say: hi')
  assert.equal(Object(session.runs[0]).state, 'completed')
})

test("B2: a client's own session id is kept, in lower case, and can be used once", async (t) => {
  const gateway = await startGateway(t)
  const id = randomUUID()
  const made = await begin(gateway, { session_id: id.toUpperCase() })
  assert.equal(made.id, id)
  assert.equal(made.status, 'idle')
  assert.equal(made.runId, null)
  for (const again of [id, id.toUpperCase()]) {
    const answer = await gateway.call('POST', '/sessions', { session_id: again })
    assert.equal(answer.status, 409)
    assert.equal(answer.json().code, 'SESSION_EXISTS')
  }
  assert.equal((await gateway.call('GET', `/sessions/${id.toUpperCase()}/status`)).json().session_id, id)
})

test('B5: a poller sees where the session is', async (t) => {
  const gateway = await startGateway(t)
  const { call, executor } = gateway
  const { id, runId } = await begin(gateway, { prompt: 'say: hi\nrun: true\ngate: held' })
  await executor.waitForGate('held', t.signal)
  const working = (await call('GET', `/sessions/${id}/status`)).json()
  assert.equal(working.status, 'running')
  assert.equal(working.run_id, runId)
  assert.equal(typeof working.progress, 'number')
  assert.ok(Number(working.last_event_id) > 0)
  executor.release('held')
  await untilStatus(t, gateway, id, 'completed')
  assert.equal((await call('GET', `/sessions/${id}/status`)).json().progress, 100)
})

test('B5: a poller sees the place in the queue, and why a run failed', async (t) => {
  const gateway = await startGateway(t, { env: { MAX_CONCURRENT_SESSIONS: '1' } })
  const { call, executor } = gateway
  const first = await begin(gateway, { prompt: 'gate: held\nerror: 401 no key' })
  await executor.waitForGate('held', t.signal)
  const second = await begin(gateway, { prompt: 'say: x' })
  const waiting = (await call('GET', `/sessions/${second.id}/status`)).json()
  assert.equal(waiting.status, 'pending')
  assert.equal(waiting.queue_position, 1)
  assert.equal(waiting.reason, 'queued')
  await call('POST', `/sessions/${second.id}/messages`, { prompt: 'say: y' })
  const { runs } = (await call('GET', `/sessions/${second.id}`)).json()
  assert.ok(Array.isArray(runs))
  assert.deepEqual(
    runs.map(({ reason }) => reason),
    ['queued', 'session_busy'],
  )
  executor.release('held')
  await untilStatus(t, gateway, first.id, 'failed')
  const { code, message } = Object((await call('GET', `/sessions/${first.id}/status`)).json().error)
  assert.equal(code, 'MODEL_AUTH')
  assert.equal(typeof message, 'string')
})

for (const [method, route] of [
  ['POST', '/cancel'],
  ['POST', '/stop'],
  ['DELETE', ''],
] as const) {
  test(`B5: ${method} {id}${route} ends the work for real, says so, and can be said twice`, async (t) => {
    const gateway = await startGateway(t)
    const { call, executor } = gateway
    const { id, runId } = await begin(gateway, { prompt: 'gate: held\nsay: never' })
    await executor.waitForGate('held', t.signal)
    const queued = await call('POST', `/sessions/${id}/messages`, { prompt: 'say: never either' })
    const answer = await call(method, `/sessions/${id}${route}`)
    assert.equal(answer.status, 200, answer.text)
    const body = answer.json()
    assert.equal(body.status, 'cancelled')
    assert.deepEqual(body.cancelled_runs, [runId, queued.json().run_id])
    assert.equal(typeof Object(body.receipt).quiet_after_ms, 'number')
    const again = await call(method, `/sessions/${id}${route}`, undefined, { 'content-type': 'application/json' })
    assert.equal(again.status, 200)
    assert.deepEqual(again.json().cancelled_runs, [])
    executor.release('held')
    assert.equal((await call('GET', `/sessions/${id}/status`)).json().status, 'cancelled')
    assert.equal(executor.inputs().length, 1)
  })
}

test('a deleted session can be read, but not used', async (t) => {
  const gateway = await startGateway(t)
  const { call, executor } = gateway
  const { id } = await begin(gateway, { prompt: 'say: kept' })
  await untilStatus(t, gateway, id, 'completed')
  assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
  assert.deepEqual(executor.leftovers(), [])
  assert.equal((await call('GET', `/sessions/${id}`)).json().closed, true)
  assert.match((await call('GET', `/sessions/${id}/messages`)).text, /kept/)
  for (const [route, body] of [
    ['messages', { prompt: 'x' }],
    ['shell', { command: 'true' }],
  ] as const) {
    const answer = await call('POST', `/sessions/${id}/${route}`, body)
    assert.equal(answer.status, 409)
    assert.equal(answer.json().code, 'SESSION_CLOSED')
  }
})

test('a follow-up is a run of its own, after the one before', async (t) => {
  const gateway = await startGateway(t)
  const { call, executor } = gateway
  const { id, runId } = await begin(gateway, { prompt: 'gate: held\nsay: first' })
  await executor.waitForGate('held', t.signal)
  const queued = await call('POST', `/sessions/${id}/messages`, { prompt: 'say: second' })
  assert.equal(queued.status, 202)
  assert.equal(queued.headers.get('location'), `/sessions/${id}/status`)
  assert.equal(queued.json().status, 'pending')
  const working = { session_id: id, status: 'running', run_id: runId }
  const { sessions } = (await call('GET', '/sessions?status=running')).json()
  assert.partialDeepStrictEqual({ sessions }, { sessions: [working] })
  for (const path of ['', '/status']) {
    assert.partialDeepStrictEqual((await call('GET', `/sessions/${id}${path}`)).json(), working)
  }
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  assert.partialDeepStrictEqual((await reader.next())?.data, { status: 'running', run_id: runId, snapshot: true })
  const refused = await call('POST', `/sessions/${id}/messages`, { prompt: 'say: no', on_busy: 'reject' })
  assert.equal(refused.status, 409)
  assert.equal(refused.json().code, 'SESSION_BUSY')
  executor.release('held')
  await untilStatus(t, gateway, id, 'completed')
  await eventually(t, async () => (await call('GET', `/sessions/${id}/events?after=0&limit=1`)).json().ended === false)
  await eventually(t, () => executor.inputs().length === 2)
})

test('a follow-up may interrupt the run before it', async (t) => {
  const gateway = await startGateway(t)
  const { call, executor } = gateway
  const { id, runId: first } = await begin(gateway, { prompt: 'gate: held\nsay: first' })
  await executor.waitForGate('held', t.signal)
  const second = await call('POST', `/sessions/${id}/messages`, { prompt: 'say: second', on_busy: 'interrupt' })
  assert.equal(second.status, 202, second.text)
  await untilStatus(t, gateway, id, 'completed')
  const { runs } = (await call('GET', `/sessions/${id}`)).json()
  assert.ok(Array.isArray(runs))
  assert.deepEqual(
    runs.map((run) => [Object(run).run_id, Object(run).state]),
    [
      [first, 'cancelled'],
      [second.json().run_id, 'completed'],
    ],
  )
})

test('the conversation has what was asked and what came of it', async (t) => {
  const gateway = await startGateway(t)
  const { call } = gateway
  const { id } = await begin(gateway, { prompt: 'think: hm\nsay: one\nrun: echo two\nsay: three' })
  await call('POST', `/sessions/${id}/shell`, { command: 'echo out; echo err >&2' }, { prefer: 'wait=60' })
  const { messages, truncated } = (await call('GET', `/sessions/${id}/messages`)).json()
  assert.equal(truncated, false)
  assert.ok(Array.isArray(messages))
  assert.deepEqual(
    messages.map((message) => [Object(message).role, Object(message).parts.map((part: { type: string }) => part.type)]),
    [
      ['user', ['text']],
      ['assistant', ['reasoning', 'text', 'tool', 'text']],
      ['user', ['command']],
      ['assistant', ['stdout', 'stderr']],
    ],
  )
  const tool = Object(messages[1]).parts[2]
  assert.equal(tool.status, 'completed')
  assert.deepEqual(tool.args, { command: 'echo two' })
  assert.equal(tool.output, 'two\n')
})

test("a command's exit code and streams are its own", async (t) => {
  const gateway = await startGateway(t)
  const { call } = gateway
  const { id } = await begin(gateway, {})
  const answer = await call(
    'POST',
    `/sessions/${id}/shell`,
    { command: 'echo out; echo err >&2; exit 3' },
    { prefer: 'wait=60' },
  )
  assert.equal(answer.status, 200, answer.text)
  const { output, stderr, exit_code, success } = answer.json()
  assert.deepEqual(
    { output, stderr, exit_code, success },
    { output: 'out\n', stderr: 'err\n', exit_code: 3, success: true },
  )
  const later = await call('POST', `/sessions/${id}/shell`, { command: 'true' })
  assert.equal(later.status, 202)
  assert.equal(later.headers.get('preference-applied'), 'respond-async')
})

test('sessions are listed newest first, page by page, without a gap or a double', async (t) => {
  const gateway = await startGateway(t)
  const { call } = gateway
  const made: unknown[] = []
  for (let index = 0; index < 7; index += 1) {
    made.push((await begin(gateway, { labels: { parity: index % 2 ? 'odd' : 'even' } })).id)
  }
  const listed: unknown[] = []
  for (let url = '/sessions?limit=3'; ;) {
    const page = (await call('GET', url)).json()
    assert.ok(Array.isArray(page.sessions))
    listed.push(...page.sessions.map((session) => Object(session).session_id))
    if (typeof page.next_cursor !== 'string') break
    url = `/sessions?limit=3&cursor=${page.next_cursor}`
  }
  assert.equal(listed.length, 7)
  assert.deepEqual(new Set(listed), new Set(made))
  const count = async (query: string) => {
    const { sessions } = (await call('GET', `/sessions?${query}`)).json()
    return Array.isArray(sessions) ? sessions.length : -1
  }
  assert.equal(await count('label=parity%3Dodd'), 3)
  assert.equal(await count('status=idle'), 7)
  assert.equal(await count('status=failed'), 0)
  assert.equal(await count('executor=fake'), 7)
  assert.equal(await count('executor=other'), 0)
})

test('the log can be read as pages, and waited for', async (t) => {
  const gateway = await startGateway(t)
  const { call, executor } = gateway
  const { id } = await begin(gateway, { prompt: 'gate: held\nsay: x' })
  await executor.waitForGate('held', t.signal)
  const ids: number[] = []
  let released = false
  for (let after = 0, ended = false; !ended;) {
    const answer = await call('GET', `/sessions/${id}/events?after=${after}&limit=2&wait=${released ? 30 : 0}`)
    const page = answer.json()
    assert.ok(Array.isArray(page.events), answer.text)
    assert.ok(page.events.length <= 2)
    ids.push(...page.events.map((event) => Number(Object(event).id)))
    after = Number(page.next_after)
    ended = page.ended === true
    if (page.events.length === 0 && !released) {
      executor.release('held')
      released = true
    }
  }
  assert.deepEqual(
    ids,
    Array.from({ length: ids.length }, (_, index) => index + 1),
  )
  const last = (await call('GET', `/sessions/${id}/events?after=${ids.length - 1}`)).json()
  assert.ok(Array.isArray(last.events))
  assert.equal(Object(last.events[0]).event, 'complete')
  assert.equal(Object(last.events[0]).data.outcome, 'completed')
  assert.equal(last.last_event_id, ids.length)
})

test('who waits for an event of a session that has ended is not kept waiting', async (t) => {
  const gateway = await startGateway(t)
  const { id } = await begin(gateway, { prompt: 'say: x' })
  await untilStatus(t, gateway, id, 'completed')
  const answer = (await gateway.call('GET', `/sessions/${id}/events?after=tail&wait=30`)).json()
  assert.deepEqual(answer.events, [])
  assert.equal(answer.ended, true)
})

test('sessions and their logs are there after a restart', async (t) => {
  const first = await startGateway(t)
  const { id } = await begin(first, { prompt: 'say: kept' })
  await untilStatus(t, first, id, 'completed')
  const before = (await first.call('GET', `/sessions/${id}/events`)).json()
  await first.close()
  const second = await startGateway(t, { dataDir: first.config.dataDir })
  assert.deepEqual((await second.call('GET', `/sessions/${id}/events`)).json(), before)
  assert.equal((await second.call('GET', `/sessions/${id}`)).json().status, 'completed')
})
