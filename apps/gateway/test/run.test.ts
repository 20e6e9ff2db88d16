import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idsOf, ofType, readEvents } from './event-source.ts'
import { eventually, startGateway, type Gateway } from './gateway.ts'

const TEXT = { 'content-type': 'text/plain' }

const statusOf = async ({ call }: Gateway, path: string) => (await call('GET', path)).json()

/** The only session there is. */
async function onlySession({ call }: Gateway): Promise<Record<string, unknown>> {
  const { sessions } = (await call('GET', '/sessions')).json()
  assert.ok(Array.isArray(sessions))
  assert.equal(sessions.length, 1)
  return Object(sessions[0])
}

test('D1: a prompt is answered with the whole answer, whichever way it is sent', async (t) => {
  const { call } = await startGateway(t)
  const ways: [string, unknown, Record<string, string>][] = [
    ['text', 'say: hello there', TEXT],
    ['text with a charset', 'say: hello there', { 'content-type': 'text/plain; charset=utf-8' }],
    ['what curl -d sends', 'say: hello there', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['JSON', { prompt: 'say: hello there' }, {}],
    ['JSON with a charset', '{"prompt":"say: hello there"}', { 'content-type': 'application/json; charset=utf-8' }],
  ]
  for (const [way, body, headers] of ways) {
    const answer = await call('POST', '/run', body, headers)
    assert.equal(answer.status, 200, `${way}: ${answer.text}`)
    const { success, output, error, execution_time, request_id, outcome, files_modified } = answer.json()
    assert.deepEqual(
      { success, output, error, outcome },
      { success: true, output: 'hello there', error: null, outcome: 'completed' },
    )
    assert.match(String(execution_time), /^\d+\.\ds$/)
    assert.equal(request_id, answer.headers.get('x-request-id'))
    assert.deepEqual(files_modified, [])
  }
})

test('D1: a text is taken as it is: nothing in it is decoded, trimmed or read as JSON', async (t) => {
  const { call, executor } = await startGateway(t)
  for (const [text, type] of [
    ['a=1&b=%20+c', 'application/x-www-form-urlencoded'],
    ['  {"prompt": "x"}\n', 'text/plain'],
    ['-rf --help', 'text/plain'],
    ['grüße 🙂', 'text/plain'],
  ] as const) {
    assert.equal((await call('POST', '/run', text, { 'content-type': type })).status, 200)
    const input = executor.inputs().at(-1)
    assert.equal(input?.kind === 'prompt' && input.prompt, text)
  }
  const latin = new Uint8Array([0x67, 0x72, 0xfc, 0xdf])
  await call('POST', '/run', latin, { 'content-type': 'text/plain; charset=iso-8859-1' })
  const input = executor.inputs().at(-1)
  assert.equal(input?.kind === 'prompt' && input.prompt, 'grüß')
})

test('D1: JSON sent without saying so, as by a bare curl -d, is refused before its options are lost', async (t) => {
  const { call, executor } = await startGateway(t)
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await call('POST', '/run', '{"prompt": "say: x", "budget": {"calls": 1}}', form)
  assert.equal(answer.status, 415, answer.text)
  const { code, detail } = answer.json()
  assert.equal(code, 'UNSUPPORTED_MEDIA_TYPE')
  assert.match(String(detail), /application\/json/)
  assert.deepEqual(executor.inputs(), [])
  for (const text of ['{"name": "app"}', '["prompt"]', '{"prompt": say: x}']) {
    assert.equal((await call('POST', '/run', text, form)).status, 200, text)
  }
})

test('the answer says what the run did', async (t) => {
  const { call } = await startGateway(t)
  const answer = (await call('POST', '/run', { prompt: 'write: a.txt | hello\nusage: 10 5\nsay: done' })).json()
  assert.deepEqual(answer.files_modified, ['a.txt'])
  const { tokens, cost_usd, model_calls } = Object(answer.usage)
  assert.equal(tokens.output, 25)
  assert.equal(cost_usd, null)
  assert.equal(model_calls, 2)
  assert.ok(Number(Object(answer.timings).total_ms) >= 0)
})

test('options reach the executor', async (t) => {
  const { call, executor } = await startGateway(t)
  const schema = { type: 'object', properties: { n: { type: 'number' } } }
  const prompt = { prompt: 'say: x', model: 'a/b', agent: 'plan', system_prompt: 'be brief' }
  await call('POST', '/run', prompt)
  await call('POST', '/run', { prompt: 'tool: StructuredOutput {"n":1}', output_schema: schema })
  const [first, second] = executor.inputs()
  assert.ok(first?.kind === 'prompt' && second?.kind === 'prompt')
  assert.equal(first.model, 'a/b')
  assert.equal(first.agent, 'plan')
  assert.equal(first.systemPrompt, 'be brief')
  assert.deepEqual(second.outputSchema, schema)
})

test('a structured answer is in the response', async (t) => {
  const { call } = await startGateway(t)
  const answer = await call('POST', '/run', {
    prompt: 'tool: StructuredOutput {"n":1,"deep":{"list":[1,null,"x"]}}',
    output_schema: { type: 'object' },
  })
  assert.deepEqual(answer.json().structured, { n: 1, deep: { list: [1, null, 'x'] } }, answer.text)
})

test('a run that fails is a problem with the members of a run', async (t) => {
  const { call } = await startGateway(t)
  const answer = await call('POST', '/run', { prompt: 'say: before\nrun: true\nerror: 401 no such key' })
  assert.equal(answer.status, 500, answer.text)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
  const body = answer.json()
  assert.equal(body.success, false)
  assert.equal(body.code, 'MODEL_AUTH')
  assert.equal(body.status, 500)
  assert.equal(body.error, body.detail)
  assert.equal(body.outcome, 'failed')
  assert.match(String(body.output), /before/)
  assert.equal(typeof body.session_id, 'string')
})

test('D3: a run over its time limit is answered with 408, and the agent is stopped', async (t) => {
  const { call, executor } = await startGateway(t)
  const answer = await call('POST', '/run', { prompt: 'say: begun\nhang', timeout: '300ms' })
  assert.equal(answer.status, 408, answer.text)
  assert.equal(answer.json().code, 'RUN_TIMEOUT')
  assert.equal(answer.json().outcome, 'timed_out')
  await eventually(t, () => executor.leftovers().length === 0)
})

test('B2, E6: a run beyond the queue is refused with 429 and a time to come back', async (t) => {
  const gateway = await startGateway(t, { env: { MAX_CONCURRENT_SESSIONS: '1', MAX_QUEUED_RUNS: '1' } })
  const { call, executor } = gateway
  const working = call('POST', '/run', { prompt: 'gate: held\nsay: one' })
  await executor.waitForGate('held', t.signal)
  const waiting = call('POST', '/run', { prompt: 'say: two' })
  await eventually(
    t,
    async () =>
      Array.isArray((await statusOf(gateway, '/sessions?status=pending')).sessions) &&
      (await gateway.call('GET', '/sessions?status=pending')).text.includes('session_id'),
  )
  for (const path of ['/run', '/sessions']) {
    const refused = await call('POST', path, { prompt: 'say: three' })
    assert.equal(refused.status, 429, refused.text)
    assert.equal(refused.json().code, 'QUEUE_FULL')
    assert.equal(refused.json().retryable, true)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
  }
  executor.release('held')
  assert.equal((await working).status, 200)
  assert.equal((await waiting).json().output, 'two')
})

test('a session cannot have the whole queue: others have room in it, and it is told so', async (t) => {
  const env = { MAX_CONCURRENT_SESSIONS: '1', MAX_QUEUED_RUNS: '10', MAX_QUEUED_RUNS_PER_SESSION: '2' }
  const { call, executor } = await startGateway(t, { env })
  const made = await call('POST', '/sessions', { prompt: 'gate: held' })
  const messages = `/sessions/${String(made.json().session_id)}/messages`
  await executor.waitForGate('held', t.signal)
  for (const word of ['two', 'three'])
    assert.equal((await call('POST', messages, { prompt: `say: ${word}` })).status, 202)
  const refused = await call('POST', messages, { prompt: 'say: four' })
  assert.deepEqual([refused.status, refused.json().code], [429, 'QUEUE_FULL'], refused.text)
  assert.match(String(refused.json().detail), /one session .* 2 .*MAX_QUEUED_RUNS_PER_SESSION/)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal((await call('POST', '/sessions', { prompt: 'say: mine' })).status, 201)
  assert.equal((await call('POST', messages, { prompt: 'say: now', on_busy: 'interrupt' })).status, 202)
  executor.release('held')
})

test('by Accept the answer is the stream of events', async (t) => {
  const gateway = await startGateway(t)
  await using reader = await readEvents(`${gateway.url}/run`, t.signal, {
    method: 'POST',
    body: 'say: streamed',
    headers: { ...TEXT, accept: 'text/event-stream' },
  })
  const frames = await reader.rest()
  assert.equal(frames[0]?.data.snapshot, true)
  assert.deepEqual(
    ofType(frames, 'output').map(({ data }) => data.text),
    ['streamed'],
  )
  assert.equal(frames.at(-1)?.event, 'complete')
  assert.deepEqual(
    idsOf(frames),
    Array.from({ length: idsOf(frames).length }, (_, index) => index + 1),
  )
  const session = await onlySession(gateway)
  assert.equal(reader.headers.get('location'), `/sessions/${String(session.session_id)}/status`)
})

test('by Prefer the answer comes at once, or after as long as the client wants to wait', async (t) => {
  const gateway = await startGateway(t)
  const { call, executor } = gateway
  const now = await call('POST', '/run', { prompt: 'gate: a\nsay: x' }, { prefer: 'respond-async' })
  assert.equal(now.status, 202)
  assert.equal(now.headers.get('preference-applied'), 'respond-async')
  const accepted = now.json()
  assert.equal(now.headers.get('location'), accepted.status_url)
  executor.release('a')
  await eventually(t, async () => (await statusOf(gateway, String(accepted.status_url))).status === 'completed')

  const later = await call('POST', '/run', { prompt: 'gate: b\nsay: x' }, { prefer: 'wait=0' })
  assert.equal(later.status, 202)
  assert.equal(later.headers.get('preference-applied'), 'wait=0')
  executor.release('b')
  const inTime = await call('POST', '/run', { prompt: 'say: quick' }, { prefer: 'respond-async, wait=60' })
  assert.equal(inTime.status, 200)
  assert.equal(inTime.json().output, 'quick')
})

for (const accept of ['application/json', 'text/event-stream']) {
  test(`a client that leaves cancels its run, waiting for ${accept}`, async (t) => {
    const gateway = await startGateway(t)
    const leave = new AbortController()
    const gone = fetch(`${gateway.url}/run`, {
      method: 'POST',
      body: 'gate: held\nsay: x',
      headers: { ...TEXT, accept },
      signal: leave.signal,
    })
      .then((response) => response.text())
      .catch(() => 'left')
    await gateway.executor.waitForGate('held', t.signal)
    leave.abort()
    assert.equal(await gone, 'left')
    await eventually(t, async () => (await onlySession(gateway)).status === 'cancelled')
    await eventually(t, () => gateway.executor.leftovers().length === 0)
  })

  test(`a client that leaves may have its run go on, waiting for ${accept}`, async (t) => {
    const gateway = await startGateway(t)
    const leave = new AbortController()
    const gone = fetch(`${gateway.url}/run`, {
      method: 'POST',
      body: JSON.stringify({ prompt: 'gate: held\nsay: x', on_disconnect: 'continue' }),
      headers: { 'content-type': 'application/json', accept },
      signal: leave.signal,
    })
      .then((response) => response.text())
      .catch(() => 'left')
    await gateway.executor.waitForGate('held', t.signal)
    leave.abort()
    assert.equal(await gone, 'left')
    await eventually(t, () => gateway.logged().includes('the client left'))
    gateway.executor.release('held')
    await eventually(t, async () => (await onlySession(gateway)).status === 'completed')
  })
}

test('what a one-shot run held is released when it ends; with keep_workspace it can go on', async (t) => {
  const gateway = await startGateway(t)
  const { call, executor } = gateway
  const once = (await call('POST', '/run', { prompt: 'say: x' })).json()
  await eventually(t, () => executor.leftovers().length === 0)
  const closed = await call('POST', `/sessions/${String(once.session_id)}/messages`, { prompt: 'say: y' })
  assert.equal(closed.json().code, 'SESSION_CLOSED')
  const kept = (await call('POST', '/run', { prompt: 'write: a | b', keep_workspace: true })).json()
  const again = await call(
    'POST',
    `/sessions/${String(kept.session_id)}/shell`,
    { command: 'cat a' },
    { prefer: 'wait=60' },
  )
  assert.equal(again.json().output, 'b')
})

test('100 requests with one idempotency key make one run, and all get its answer', async (t) => {
  const { call, executor } = await startGateway(t)
  const headers = { 'idempotency-key': 'once' }
  const body = { prompt: 'gate: held\nsay: only once' }
  const calls = Array.from({ length: 100 }, () => call('POST', '/run', body, headers))
  await executor.waitForGate('held', t.signal)
  executor.release('held')
  const answers = await Promise.all(calls)
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  assert.equal(new Set(answers.map((answer) => answer.json().run_id)).size, 1)
  assert.equal(answers.filter((answer) => answer.headers.get('idempotency-replayed') === 'true').length, 99)
  assert.equal(executor.inputs().length, 1)
  const other = await call('POST', '/run', { prompt: 'say: something else' }, headers)
  assert.equal(other.status, 422)
  assert.equal(other.json().code, 'IDEMPOTENCY_MISMATCH')
})

test('D6: the log has the request id from the request to the run', async (t) => {
  const gateway = await startGateway(t)
  await gateway.call('POST', '/run', { prompt: 'say: x' }, { 'x-request-id': 'from-the-client-1' })
  const lines = gateway
    .logged()
    .split('\n')
    .filter((line) => line.includes('"requestId":"from-the-client-1"'))
  assert.ok(
    lines.some((line) => line.includes('run ended')),
    lines.join('\n'),
  )
  assert.ok(lines.some((line) => line.includes('"path":"/run"')))
})

test('a request id that is not fit for logs is replaced', async (t) => {
  const { call } = await startGateway(t)
  for (const bad of ['with blanks', 'x'.repeat(129), '{"a":1}', '-dash-first']) {
    const answer = await call('GET', '/health', undefined, { 'x-request-id': bad })
    assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  }
})
