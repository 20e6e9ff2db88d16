import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Executor } from '@opencode-gateway/contracts'
import { startGatewayProcess } from './gateway-process.ts'
import { callOf, eventually, startGateway, temporaryDirectory, type Gateway } from './gateway.ts'
import { as, KEYS, startFilesGateway } from './workspaces.ts'
import type { Lifetime } from './scope.ts'

const filesOf = ({ executor }: Gateway, id: string): Record<string, string> =>
  Object.fromEntries([...executor.engine.directories.values()].find(({ sessionId }) => sessionId === id)?.files ?? [])

/** A session that has had its first run. */
async function begun(t: Lifetime, { call, store }: Pick<Gateway, 'call' | 'store'>): Promise<string> {
  const made = await call('POST', '/sessions', { prompt: 'write: a.txt | one', labels: { of: 'source' } })
  const id = String(made.json()['session_id'])
  await eventually(t, async () => (await store.getSession(id))?.status === 'completed')
  return id
}

test('a fork is a session of its own, with the files and the labels of the other one', async (t) => {
  const gateway = await startGateway(t)
  const { call } = gateway
  const id = await begun(t, gateway)
  const answer = await call('POST', `/sessions/${id}/fork`)
  assert.equal(answer.status, 201, answer.text)
  const { session_id: made, run_id: runId, status } = answer.json()
  const forkId = String(made)
  assert.notEqual(forkId, id)
  assert.deepEqual([runId, status], [null, 'idle'])
  assert.equal(answer.headers.get('location'), `/sessions/${forkId}`)
  const fork = (await call('GET', `/sessions/${forkId}`)).json()
  assert.deepEqual([fork['labels'], fork['runs'], fork['last_event_id']], [{ of: 'source' }, [], 0])
  const follow = await call('POST', `/sessions/${forkId}/messages`, { prompt: 'write: b.txt | two' })
  assert.equal(follow.status, 202, follow.text)
  await eventually(t, async () => (await gateway.store.getSession(forkId))?.status === 'completed')
  assert.deepEqual(filesOf(gateway, forkId), { 'a.txt': 'one', 'b.txt': 'two' })
  assert.deepEqual(filesOf(gateway, id), { 'a.txt': 'one' })
  const other = await call('POST', `/sessions/${id}/fork`, { labels: { of: 'fork' } })
  const otherId = String(other.json()['session_id'])
  assert.deepEqual((await call('GET', `/sessions/${otherId}`)).json()['labels'], { of: 'fork' })
})

test('a fork counts as use of the session it is made of', async (t) => {
  const gateway = await startGateway(t)
  const { call, store } = gateway
  const id = await begun(t, gateway)
  const before = (await store.getSession(id))?.updatedAt ?? 0
  await eventually(t, () => Date.now() > before)
  assert.equal((await call('POST', `/sessions/${id}/fork`)).status, 201)
  assert.ok(((await store.getSession(id))?.updatedAt ?? 0) > before)
})

test('a fork is refused while a run is open, of what is not there, and where there is none', async (t) => {
  const gateway = await startGateway(t, { app: { keys: KEYS } })
  const call: Gateway['call'] = (method, path, body, headers) =>
    gateway.call(method, path, body, { ...as('all'), ...headers })
  const id = await begun(t, { ...gateway, call })
  await call('POST', `/sessions/${id}/messages`, { prompt: 'gate: open\nsay: two' })
  await gateway.executor.waitForGate('open', t.signal)
  const sessions = gateway.executor.engine.sessions.size
  const code = async (path: string, body: object, headers?: Record<string, string>) =>
    (await call('POST', path, body, headers)).json()['code']
  assert.equal(await code(`/sessions/${id}/fork`, {}), 'SESSION_BUSY')
  gateway.executor.release('open')
  await eventually(t, async () => (await gateway.store.getSession(id))?.status === 'completed')
  assert.equal(await code(`/sessions/${randomUUID()}/fork`, {}), 'SESSION_NOT_FOUND')
  assert.equal(await code(`/sessions/${id}/fork`, { session_id: randomUUID() }), 'INVALID_REQUEST')
  assert.equal(gateway.executor.engine.sessions.size, sessions)
  await call('DELETE', `/sessions/${id}`)
  assert.equal(await code(`/sessions/${id}/fork`, {}), 'SESSION_CLOSED')
})

test('where the executor cannot fork it is said, and a session that has not begun needs nothing of it', async (t) => {
  const gateway = await startGateway(t, { executor: { fork: false } })
  assert.equal(Object((await gateway.call('GET', '/capabilities')).json()['executor']).fork, false)
  const id = await begun(t, gateway)
  const answer = await gateway.call('POST', `/sessions/${id}/fork`, {})
  assert.deepEqual([answer.status, answer.json()['code']], [422, 'UNSUPPORTED_OPTION'])
  const idle = String((await gateway.call('POST', '/sessions', { labels: { a: 'b' } })).json()['session_id'])
  const fork = await gateway.call('POST', `/sessions/${idle}/fork`, {})
  assert.equal(fork.status, 201, fork.text)
})

test('a fork of a session with files and without a run has what the container of that one may use', async (t) => {
  const asked: unknown[] = []
  const gateway = await startFilesGateway(t, {
    executor: { capabilities: { options: ['resources'] } },
    wrap: (executor): Executor => ({
      ...executor,
      async fork(...[source, spec, ctx]) {
        asked.push(source)
        await executor.workspaces?.make(spec.sessionId)
        return await executor.open(spec, ctx)
      },
    }),
  })
  const call = (path: string, body: object) => gateway.call('POST', path, body, as('all'))
  const made = await call('/sessions', { resources: { pids: 100, memory: '600m' } })
  const id = String(made.json()['session_id'])
  const written = await gateway.call('PUT', `/sessions/${id}/files/content?path=a.txt`, 'one', {
    ...as('all'),
    'content-type': 'application/octet-stream',
  })
  assert.ok(written.status < 300, written.text)
  assert.equal((await call(`/sessions/${id}/fork`, {})).status, 201)
  const ref = { executor: 'fake', session_id: id }
  assert.deepEqual(asked, [{ sessionId: id, ref, resources: { pids: 100, memoryBytes: 600 * 1024 ** 2 } }])
})

test('one key makes one fork, however often and whenever it is sent', async (t) => {
  const gateway = await startGateway(t)
  const id = await begun(t, gateway)
  const send = (body: object = {}) =>
    gateway.call('POST', `/sessions/${id}/fork`, body, { 'idempotency-key': 'the-key' })
  const answers = await Promise.all(Array.from({ length: 20 }, () => send()))
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201])
  assert.equal(new Set(answers.map((answer) => answer.json()['session_id'])).size, 1)
  assert.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length, 19)
  assert.equal(gateway.executor.engine.sessions.size, 2)
  assert.equal((await send({ labels: { x: 'y' } })).json()['code'], 'IDEMPOTENCY_MISMATCH')
  await gateway.call('POST', `/sessions/${id}/messages`, { prompt: 'gate: open' })
  await gateway.executor.waitForGate('open', t.signal)
  assert.equal((await send()).json()['session_id'], answers[0]?.json()['session_id'], 'also while a run is open')
  gateway.executor.release('open')
})

test('a run that comes in during a fork waits for it, also when the fork fails', async (t) => {
  const forks: PromiseWithResolvers<void>[] = []
  const gateway = await startGateway(t, {
    wrap: (executor): Executor => ({
      ...executor,
      async fork(...args) {
        const gate = Promise.withResolvers<void>()
        forks.push(gate)
        await gate.promise
        assert.ok(executor.fork)
        return await executor.fork(...args)
      },
    }),
  })
  const id = await begun(t, gateway)
  for (const [index, failure] of [undefined, new Error('the disk is gone')].entries()) {
    const fork = gateway.call('POST', `/sessions/${id}/fork`, {})
    await eventually(t, () => forks.length === index + 1)
    const follow = await gateway.call('POST', `/sessions/${id}/messages`, { prompt: 'say: later' })
    const runId = String(follow.json()['run_id'])
    assert.equal((await gateway.call('POST', '/run', { prompt: 'say: other' })).status, 200)
    assert.equal((await gateway.store.getRun(runId))?.state, 'queued')
    if (failure) forks[index]?.reject(failure)
    else forks[index]?.resolve()
    assert.equal((await fork).status, failure ? 500 : 201)
    await eventually(t, async () => (await gateway.store.getRun(runId))?.state === 'completed')
  }
})

test('P9: a gateway that was killed between the copy and the row leaves nothing of the fork', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const workspaces = async () => (await readdir(join(dataDir, 'workspaces'))).filter((name) => !name.startsWith('.'))
  let id = ''
  {
    await using gateway = await startGatewayProcess({ dataDir, env: { CRASH_AT: 'after-fork' } })
    await gateway.ready()
    const call = callOf(t, gateway.url)
    id = String((await call('POST', '/sessions', { prompt: 'write: a.txt | one' })).json()['session_id'])
    await eventually(t, async () => (await call('GET', `/sessions/${id}/status`)).json()['status'] === 'completed')
    await call('POST', `/sessions/${id}/fork`, {}).catch(() => undefined)
    assert.deepEqual(await gateway.stop(), { code: null, signal: 'SIGKILL' })
    assert.equal((await workspaces()).length, 2, 'the copy was there')
  }
  await using gateway = await startGatewayProcess({ dataDir })
  await gateway.ready()
  await eventually(t, async () => (await workspaces()).length === 1)
  assert.deepEqual(await workspaces(), [id])
  const call = callOf(t, gateway.url)
  const fork = await call('POST', `/sessions/${id}/fork`, {})
  assert.equal(fork.status, 201, fork.text)
  const path = `/sessions/${String(fork.json()['session_id'])}/files/content?path=a.txt`
  assert.equal((await call('GET', path)).text, 'one')
})
