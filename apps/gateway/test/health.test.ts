import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { errorTable, type Log } from '@opencode-gateway/contracts'
import type { ExecutorStartup } from '../src/start/executor-startup.ts'
import { createReadiness } from '../src/start/readiness.ts'
import { startGateway } from './gateway.ts'

const checksOf = (answer: { json(): Record<string, unknown> }) => Object(answer.json().checks)

test('B1, D5: health is health, by both names', async (t) => {
  const { call } = await startGateway(t)
  const health = (await call('GET', '/health')).json()
  assert.equal(health.status, 'healthy')
  assert.match(String(health.version), /^\d+\.\d+\.\d+/)
  assert.ok(!Number.isNaN(Date.parse(String(health.timestamp))))
  assert.equal((await call('GET', '/healthz')).json().status, 'ok')
})

test('B1: readiness says what is wrong, and is well again when it is not', async (t) => {
  let health: { ok: boolean; reason?: string } = { ok: true }
  const { call, config } = await startGateway(t, { executor: { health: () => health } })
  const fresh = async () => {
    const readiness = await call('GET', '/ready')
    return readiness
  }
  assert.equal((await fresh()).status, 200)
  await rm(config.workspaceRoot, { recursive: true })
  await writeFile(config.workspaceRoot, 'a file in place of the directory')
  health = { ok: false, reason: 'the engine does not answer' }
  let answer = await fresh()
  while (answer.status === 200) answer = await fresh()
  assert.equal(answer.status, 503)
  assert.equal(answer.json().status, 'not_ready')
  assert.equal(checksOf(answer).workspace.ok, false)
  assert.match(checksOf(answer).workspace.reason, /EEXIST|ENOTDIR/)
  assert.deepEqual([checksOf(answer).executor.ok, checksOf(answer).executor.reason], [false, health.reason])
  assert.equal(checksOf(answer).store.ok, true)
  assert.equal((await call('GET', '/health')).status, 200)
  await rm(config.workspaceRoot)
  health = { ok: true }
  while (answer.status !== 200) answer = await fresh()
  assert.equal(answer.json().status, 'ready')
})

test('an executor that could not start fails readiness and new runs, nothing else', async (t) => {
  let startup: ExecutorStartup = { status: 'starting' }
  const { call } = await startGateway(t, { app: { startup: () => startup } })
  assert.match(checksOf(await call('GET', '/ready')).executor.reason, /starting/)
  const waiting = await call('POST', '/sessions', { prompt: 'say: x' })
  assert.equal(waiting.status, 201)
  const id = String(waiting.json().session_id)
  startup = { status: 'failed', reason: 'no engine.' }
  for (const [path, body] of [
    ['/run', { prompt: 'x' }],
    ['/sessions', { prompt: 'x' }],
    [`/sessions/${id}/messages`, { prompt: 'x' }],
    [`/sessions/${id}/shell`, { command: 'true' }],
  ] as const) {
    const refused = await call('POST', path, body)
    assert.equal(refused.status, 503, path)
    assert.equal(refused.json().code, 'EXECUTOR_UNAVAILABLE')
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
  }
  for (const path of ['/health', '/sessions', '/capabilities', `/sessions/${id}`]) {
    assert.equal((await call('GET', path)).status, 200, path)
  }
})

test('while the gateway drains it is not ready, refuses new work and still answers', async (t) => {
  let draining = false
  const { call, sessions } = await startGateway(t, { app: { draining: () => draining } })
  draining = true
  await sessions.drain(t.signal)
  const ready = await call('GET', '/ready')
  assert.equal(ready.status, 503)
  assert.match(checksOf(ready).accepting.reason, /shutting down/)
  const refused = await call('POST', '/run', { prompt: 'x' })
  assert.equal(refused.status, 503)
  assert.equal(refused.json().code, 'SHUTTING_DOWN')
  assert.equal((await call('GET', '/sessions')).status, 200)
})

test('a readiness check that hangs is a check that failed', async () => {
  const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
  const readiness = createReadiness({
    store: { check: () => new Promise(() => {}) },
    executor: { check: async () => ({ ok: true }) },
    sessions: { accepting: () => true },
    startup: () => ({ status: 'started' }),
    draining: () => false,
    workspaceRoot: '/dev/null/nowhere',
    log: silent,
    deadlineMs: 10,
  })
  const checks = await readiness.check()
  assert.match(checks.store.reason ?? '', /no answer within 10 ms/)
  assert.equal(checks.workspace.ok, false)
  assert.equal(checks.executor.ok, true)
})

test('the log has what changed about readiness, not every answer', async () => {
  const lines: string[] = []
  const record = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug: record, info: record, warn: record, error: record, child: () => log }
  let status: 'starting' | 'started' = 'starting'
  const readiness = createReadiness({
    store: { check: async () => {} },
    executor: { check: async () => ({ ok: true }) },
    sessions: { accepting: () => true },
    startup: () => ({ status }),
    draining: () => true,
    workspaceRoot: tmpdir(),
    log,
  })
  await readiness.check()
  await readiness.check()
  status = 'started'
  await readiness.check()
  assert.deepEqual(
    lines.filter((line) => line.includes('"executor"')),
    [
      'a readiness check failed {"check":"executor","reason":"the executor is starting"}',
      'a readiness check passes again {"check":"executor"}',
    ],
  )
})

test('capabilities say what the executor can, and the limits', async (t) => {
  const { call, executor: fake } = await startGateway(t, {
    env: { MAX_CONCURRENT_SESSIONS: '3', MAX_EXECUTION_TIME: '10m', OPENCODE_MODEL: 'a/b' },
  })
  const { executor, engine, model, limits, events, sessions } = (await call('GET', '/capabilities')).json()
  assert.equal(Object(executor).name, 'fake')
  assert.deepEqual(Object(executor).options, fake.capabilities.options)
  assert.deepEqual(engine, { name: 'opencode', version: 'fake', mode: 'other' })
  assert.deepEqual(model, { default: 'a/b', scripted: true, direct_providers: [] })
  assert.equal(Object(limits).max_concurrent_sessions, 3)
  assert.equal(Object(limits).run_timeout_seconds, 600)
  assert.deepEqual(sessions, { retention_seconds: 604_800, forgotten_after_seconds: 2_592_000 })
  assert.deepEqual(events, { retention_seconds: 604_800, heartbeat_seconds: 15 })
})

test('every path says which methods it has, and refuses others with the same list', async (t) => {
  const { call } = await startGateway(t)
  const options = await call('OPTIONS', '/sessions')
  assert.equal(options.status, 204)
  assert.equal(options.headers.get('allow'), 'POST, GET, HEAD, OPTIONS')
  assert.equal(options.headers.get('access-control-allow-origin'), null)
  const refused = await call('DELETE', '/sessions')
  assert.equal(refused.status, 405)
  assert.equal(refused.headers.get('allow'), 'POST, GET, HEAD, OPTIONS')
})

test('what is no HTTP request, or too large a one, is answered with a problem too', async (t) => {
  const { url } = await startGateway(t)
  const port = Number(new URL(url).port)
  for (const [bytes, code] of [
    ['nonsense\r\n\r\n', 'INVALID_REQUEST'],
    [`GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 'HEADERS_TOO_LARGE'],
  ] as const) {
    const socket = connect(port, '127.0.0.1')
    socket.write(bytes)
    const answer = await text(socket)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(head, new RegExp(`^HTTP/1.1 ${errorTable[code].status} `))
    assert.match(head, /content-type: application\/problem\+json/)
    assert.equal(Object(JSON.parse(body)).code, code)
  }
})

test('the lag of its own start is none of the process', async (t) => {
  const { call } = await startGateway(t, {
    env: { MAX_EVENT_LOOP_DELAY: '10ms' },
    wrap: (executor) => ({
      ...executor,
      sweep: (...given) => {
        // Until the lag is looked at for the first time.
        const until = performance.now() + 1_200
        while (performance.now() < until);
        return executor.sweep(...given)
      },
    }),
  })
  const answer = await call('POST', '/run', { prompt: 'say: x' })
  assert.equal(answer.status, 200, answer.text)
})

test('when the process lags, new work is refused and everything else answers', async (t) => {
  const { call, logged } = await startGateway(t, { env: { MAX_EVENT_LOOP_DELAY: '10ms' } })
  let answer = await call('POST', '/run', { prompt: 'say: x' })
  while (answer.status === 200) {
    const until = performance.now() + 200
    while (performance.now() < until);
    answer = await call('POST', '/run', { prompt: 'say: x' })
  }
  assert.equal(answer.status, 503, answer.text)
  assert.equal(answer.json().code, 'OVERLOADED')
  assert.ok(Number(answer.headers.get('retry-after')) > 0)
  assert.match(logged(), /new work is refused while the process lags/)
  assert.equal((await call('GET', '/health')).status, 200)
})
