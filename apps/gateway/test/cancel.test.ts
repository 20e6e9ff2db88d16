import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { eventually, startGateway, type Gateway } from './gateway.ts'

/** A session with a run at work and one that waits behind it. */
async function begin(t: TestContext, { call, executor }: Gateway, gate = 'held') {
  const made = (await call('POST', '/sessions', { prompt: `say: hi\ngate: ${gate}` })).json()
  const id = String(made['session_id'])
  await executor.waitForGate(gate, t.signal)
  const added = (await call('POST', `/sessions/${id}/messages`, { prompt: 'say: later' })).json()
  return { id, working: String(made['run_id']), waiting: String(added['run_id']) }
}

async function statesOf({ call }: Gateway, id: string): Promise<unknown[]> {
  const { runs } = (await call('GET', `/sessions/${id}`)).json()
  assert.ok(Array.isArray(runs))
  return runs.map((run) => Object(run).state)
}

for (const route of ['cancel', 'stop']) {
  test(`POST …/${route} with a run_id cancels that run alone`, async (t) => {
    const gateway = await startGateway(t)
    const { id, waiting } = await begin(t, gateway)
    const path = `/sessions/${id}/${route}`
    const answer = await gateway.call('POST', path, { run_id: waiting.toUpperCase() })
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(answer.json()['cancelled_runs'], [waiting])
    assert.deepEqual(await statesOf(gateway, id), ['running', 'cancelled'])
    const again = await gateway.call('POST', path, { run_id: waiting })
    assert.equal(again.status, 200)
    assert.deepEqual(again.json()['cancelled_runs'], [])
    gateway.executor.release('held')
    await eventually(t, async () => (await statesOf(gateway, id))[0] === 'completed')
  })
}

test('the run that works can be cancelled alone: the one behind it takes its turn', async (t) => {
  const gateway = await startGateway(t)
  const { id, working } = await begin(t, gateway)
  const answer = await gateway.call('POST', `/sessions/${id}/cancel`, { run_id: working })
  assert.deepEqual(answer.json()['cancelled_runs'], [working])
  await eventually(t, async () => (await statesOf(gateway, id))[1] === 'completed')
  assert.deepEqual(await statesOf(gateway, id), ['cancelled', 'completed'])
})

test('E6: a run cannot be paused, and it is said what to do instead', async (t) => {
  const { call, executor } = await startGateway(t)
  const made = await call('POST', '/sessions', { prompt: 'gate: held\nsay: on' })
  const path = `/sessions/${String(made.json()['session_id'])}`
  await executor.waitForGate('held', t.signal)
  const refused = await call('POST', `${path}/pause`)
  assert.deepEqual([refused.status, refused.json()['code']], [422, 'UNSUPPORTED_OPTION'], refused.text)
  assert.match(String(refused.json()['detail']), /cancel.*messages/)
  assert.equal((await call('GET', `${path}/status`)).json()['status'], 'running')
  executor.release('held')
})

test('a run that the session does not have cannot be cancelled, and nothing else is', async (t) => {
  const gateway = await startGateway(t)
  const mine = await begin(t, gateway)
  const other = await begin(t, gateway, 'other')
  for (const runId of [randomUUID(), other.working]) {
    const answer = await gateway.call('POST', `/sessions/${mine.id}/cancel`, { run_id: runId })
    assert.equal(answer.status, 404, answer.text)
    assert.equal(answer.json()['code'], 'RUN_NOT_FOUND')
  }
  assert.deepEqual(await statesOf(gateway, mine.id), ['running', 'queued'])
  assert.deepEqual(await statesOf(gateway, other.id), ['running', 'queued'])
})

const JSON_TYPE = { 'content-type': 'application/json' }
const misread: [method: string, path: string, body: unknown, field: string][] = [
  ['POST', '/cancel', { runid: 'x' }, 'runid'],
  ['POST', '/cancel', { run_id: 7 }, 'run_id'],
  ['POST', '/cancel', { run_id: 'first' }, 'run_id'],
  ['POST', '/cancel', [], 'body'],
  ['POST', '/cancel?run_id=x', undefined, 'run_id'],
  ['POST', '/stop', { force: true }, 'force'],
  ['POST', '/stop?force=true', undefined, 'force'],
  ['DELETE', '', { keep_workspace: true }, 'keep_workspace'],
  ['DELETE', '', { run_id: randomUUID() }, 'run_id'],
  ['DELETE', '', [], 'body'],
  ['DELETE', '?keep_workspace=true', undefined, 'keep_workspace'],
  ['POST', '/retry', { prompt: 'another' }, 'prompt'],
  ['POST', '/retry?wait=1', undefined, 'wait'],
  ['GET', '?verbose=1', undefined, 'verbose'],
  ['GET', '/status?wait=1', undefined, 'wait'],
  ['POST', '/messages?on_busy=reject', { prompt: 'say: x' }, 'on_busy'],
]

test('what a request asks for is honoured or refused, never left out', async (t) => {
  const gateway = await startGateway(t)
  const { id } = await begin(t, gateway)
  for (const [method, path, body, field] of misread) {
    await t.test(`${method} {id}${path} ${JSON.stringify(body)}`, async () => {
      const answer = await gateway.call(method, `/sessions/${id}${path}`, body)
      assert.equal(answer.status, 400, answer.text)
      assert.equal(answer.json()['code'], 'INVALID_REQUEST')
      const fields = [answer.json()['details']].flat().map((detail) => Object(detail).field)
      assert.ok(fields.includes(field), answer.text)
    })
  }
  await t.test('and nothing has come of it', async () => {
    assert.deepEqual(await statesOf(gateway, id), ['running', 'queued'])
  })
})

for (const [what, body, headers] of [
  ['no body', undefined, undefined],
  ['an empty body', '', JSON_TYPE],
  ['an empty object', {}, undefined],
] as const) {
  test(`${what} cancels and deletes all there is`, async (t) => {
    const gateway = await startGateway(t)
    const { id, working, waiting } = await begin(t, gateway)
    const cancelled = await gateway.call('POST', `/sessions/${id}/cancel`, body, headers)
    assert.deepEqual(cancelled.json()['cancelled_runs'], [working, waiting])
    for (const [method, path] of [
      ['POST', '/stop'],
      ['DELETE', ''],
    ] as const) {
      assert.equal((await gateway.call(method, `/sessions/${id}${path}`, body, headers)).status, 200)
    }
  })
}
