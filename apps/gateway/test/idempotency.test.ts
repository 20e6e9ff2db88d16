import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRunWaiters } from '../src/answers/run-waiters.ts'
import { eventually, startGateway, temporaryDirectory, type Gateway } from './gateway.ts'

const KEY = { 'idempotency-key': 'once' }
const HELD = { prompt: 'gate: held\nsay: only once' }

/** A client of /run that can leave. */
function client({ url }: Gateway, body: object, headers: Record<string, string> = KEY) {
  const left = new AbortController()
  const answer = fetch(`${url}/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: left.signal,
  }).then(
    async (response) => ({ status: response.status, body: Object(await response.json()) }),
    () => 'left' as const,
  )
  return { answer, leave: () => left.abort() }
}

/** Settles once this many requests to /run wait for their run. */
async function accepted(t: Parameters<typeof eventually>[0], { logged }: Gateway, count: number): Promise<void> {
  await eventually(t, () => logged().split('the run is accepted').length - 1 === count)
}

const statusOf = async ({ call }: Gateway) =>
  Object([(await call('GET', '/sessions')).json()['sessions']].flat()[0]).status

for (const path of ['/sessions', '/sessions/{id}/messages', '/sessions/{id}/shell']) {
  test(`100 requests to ${path} with one idempotency key make one run`, async (t) => {
    const { call, executor } = await startGateway(t)
    const id = String((await call('POST', '/sessions', {})).json()['session_id'])
    const url = path.replace('{id}', id)
    const body = path.endsWith('shell') ? { command: 'echo x' } : { prompt: 'say: x' }
    const answers = await Promise.all(Array.from({ length: 100 }, () => call('POST', url, body, KEY)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [path === '/sessions' ? 201 : 202])
    assert.equal(new Set(answers.map((answer) => answer.json()['run_id'])).size, 1)
    assert.equal(new Set(answers.map((answer) => answer.json()['session_id'])).size, 1)
    assert.equal(answers.filter((answer) => answer.headers.get('idempotency-replayed') === 'true').length, 99)
    await eventually(t, () => executor.inputs().length === 1)
    const other = await call('POST', url, { ...body, timeout: 5 }, KEY)
    assert.equal(other.status, 422, other.text)
    assert.equal(other.json()['code'], 'IDEMPOTENCY_MISMATCH')
    assert.equal(executor.inputs().length, 1)
  })
}

test('a key is one of its route and its session: elsewhere it makes another run', async (t) => {
  const { call, executor } = await startGateway(t)
  const one = await call('POST', '/run', { prompt: 'say: x' }, KEY)
  const two = await call('POST', '/sessions', { prompt: 'say: x' }, KEY)
  const three = await call('POST', `/sessions/${String(two.json()['session_id'])}/messages`, { prompt: 'say: x' }, KEY)
  const runs = [one, two, three].map((answer) => answer.json()['run_id'])
  assert.equal(new Set(runs).size, 3)
  await eventually(t, () => executor.inputs().length === 3)
})

test('a key that was used before a restart leads to the same answer after it', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const first = await startGateway(t, { dataDir })
  const before = (await first.call('POST', '/run', { prompt: 'say: x' }, KEY)).json()
  await first.close()
  const second = await startGateway(t, { dataDir })
  const after = await second.call('POST', '/run', { prompt: 'say: x' }, KEY)
  assert.equal(after.status, 200, after.text)
  assert.equal(after.headers.get('idempotency-replayed'), 'true')
  for (const name of ['run_id', 'session_id', 'output', 'usage', 'timings'])
    assert.deepEqual(after.json()[name], before[name])
  assert.equal(second.executor.inputs().length, 0)
})

test('a run that others have joined by its key goes on while one of them waits', async (t) => {
  const gateway = await startGateway(t)
  const first = client(gateway, HELD)
  await gateway.executor.waitForGate('held', t.signal)
  const second = client(gateway, HELD)
  await accepted(t, gateway, 2)
  first.leave()
  assert.equal(await first.answer, 'left')
  await eventually(t, () => gateway.logged().includes('the client left before the end of the answer'))
  gateway.executor.release('held')
  const answer = await second.answer
  assert.ok(answer !== 'left')
  assert.equal(answer.status, 200)
  assert.equal(answer.body.output, 'only once')
})

test('a run ends when the last of those who wait for it leaves', async (t) => {
  const gateway = await startGateway(t)
  const first = client(gateway, HELD)
  await gateway.executor.waitForGate('held', t.signal)
  const second = client(gateway, HELD)
  await accepted(t, gateway, 2)
  first.leave()
  second.leave()
  await eventually(t, async () => (await statusOf(gateway)) === 'cancelled')
})

test('a run that was accepted for later is not ended by who joins it and leaves', async (t) => {
  const gateway = await startGateway(t)
  const first = await gateway.call('POST', '/run', HELD, { ...KEY, prefer: 'respond-async' })
  assert.equal(first.status, 202)
  await gateway.executor.waitForGate('held', t.signal)
  const second = client(gateway, HELD)
  await accepted(t, gateway, 2)
  second.leave()
  assert.equal(await second.answer, 'left')
  await eventually(t, () => gateway.logged().includes('the client left before the end of the answer'))
  gateway.executor.release('held')
  await eventually(t, async () => (await statusOf(gateway)) === 'completed')
})

test('who was told that a run goes on keeps it going', () => {
  const waiters = createRunWaiters()
  const first = waiters.join('run', { first: true })
  const second = waiters.join('run', { first: false })
  second.letGoOn()
  second[Symbol.dispose]()
  assert.equal(first.leave(), false)
})

test('leaving twice is leaving once', () => {
  const waiters = createRunWaiters()
  const first = waiters.join('run', { first: true })
  const second = waiters.join('run', { first: false })
  assert.equal(first.leave(), false)
  first[Symbol.dispose]()
  assert.equal(second.leave(), true)
})
