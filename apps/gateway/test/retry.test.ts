import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeEngine } from '@opencode-gateway/executor-testing'
import { eventually, startGateway, temporaryDirectory } from './gateway.ts'

test('a run that failed is run again with the same input and limits, as a run of its own', async (t) => {
  const gateway = await startGateway(t)
  const { call, executor, store } = gateway
  const body = { prompt: 'error: 401 no', keep_workspace: true, timeout: '42s', permissions: { bash: 'deny' } }
  const failed = (await call('POST', '/run', body)).json()
  const id = String(failed['session_id'])
  const again = await call('POST', `/sessions/${id}/retry`)
  assert.equal(again.status, 202, again.text)
  const accepted = again.json()
  assert.equal(again.headers.get('location'), `/sessions/${id}/status`)
  assert.equal(accepted['session_id'], id)
  assert.notEqual(accepted['run_id'], failed['run_id'])
  await eventually(t, async () => (await store.getRun(String(accepted['run_id'])))?.complete !== undefined)
  const first = await store.getRun(String(failed['run_id']))
  const second = await store.getRun(String(accepted['run_id']))
  assert.deepEqual(second?.limits, first?.limits)
  assert.deepEqual({ ...second?.input, runId: '' }, { ...first?.input, runId: '' })
  assert.equal(executor.inputs().length, 2)
})

test('a command can be run again, too', async (t) => {
  const gateway = await startGateway(t)
  const { call } = gateway
  const id = String((await call('POST', '/sessions', {})).json()['session_id'])
  const slow = await call(
    'POST',
    `/sessions/${id}/shell`,
    { command: 'sleep 5', timeout: '100ms' },
    { prefer: 'wait=60' },
  )
  assert.equal(slow.json()['code'], 'RUN_TIMEOUT', slow.text)
  const again = await call('POST', `/sessions/${id}/retry`)
  assert.equal(again.status, 202, again.text)
  const { runs } = (await call('GET', `/sessions/${id}`)).json()
  assert.deepEqual(
    [runs].flat().map((run) => Object(run).command),
    ['sleep 5', 'sleep 5'],
  )
})

test('there is nothing to run again unless the last run came to a bad end', async (t) => {
  const { call, executor } = await startGateway(t)
  const retry = async (id: string) => {
    const answer = await call('POST', `/sessions/${id}/retry`)
    return `${answer.status} ${String(answer.json()['code'])}`
  }
  const begin = async (body: object) => String((await call('POST', '/sessions', body)).json()['session_id'])
  assert.equal(await retry(await begin({})), '409 NOTHING_TO_RETRY')
  const held = await begin({ prompt: 'gate: held\nsay: x' })
  await executor.waitForGate('held', t.signal)
  assert.equal(await retry(held), '409 SESSION_BUSY')
  await call('POST', `/sessions/${held}/cancel`)
  assert.equal(await retry(held), '409 NOTHING_TO_RETRY')
  const { session_id: done } = (await call('POST', '/run', { prompt: 'say: x', keep_workspace: true })).json()
  assert.equal(await retry(String(done)), '409 NOTHING_TO_RETRY')
  const { session_id: gone } = (await call('POST', '/run', { prompt: 'error: 401 no' })).json()
  await call('DELETE', `/sessions/${String(gone)}`)
  assert.equal(await retry(String(gone)), '409 SESSION_CLOSED')
  assert.equal(await retry('6e0c1f64-0000-4000-8000-000000000000'), '404 SESSION_NOT_FOUND')
})

test('B6: a run that the engine lost over a restart ends interrupted, says so, and can be run again', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const engine = createFakeEngine()
  const first = await startGateway(t, { dataDir, executor: { engine } })
  const made = await first.call('POST', '/sessions', { prompt: 'say: begun\nrun: true\ngate: held\nsay: x' })
  const id = String(made.json()['session_id'])
  await first.executor.waitForGate('held', t.signal)
  await first.close()
  const second = await startGateway(t, { dataDir, executor: { engine: createFakeEngine() } })
  await eventually(
    t,
    async () => (await second.call('GET', `/sessions/${id}/status`)).json()['status'] === 'interrupted',
  )
  const { error } = (await second.call('GET', `/sessions/${id}/status`)).json()
  assert.equal(Object(error).code, 'RUN_INTERRUPTED')
  assert.equal(Object(error).retryable, true)
  const { events } = (await second.call('GET', `/sessions/${id}/events?limit=1000`)).json()
  assert.equal(Object([events].flat().at(-1)).data.side_effects, 'possible')
  const again = await second.call('POST', `/sessions/${id}/retry`)
  assert.equal(again.status, 202, again.text)
})
