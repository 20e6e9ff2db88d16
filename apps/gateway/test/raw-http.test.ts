import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { singleKey } from '../src/config/api-keys.ts'
import { startGateway, type Gateway } from './gateway.ts'

interface RawAnswer {
  status: number
  head: string
  body: string
}

/** What the gateway answers to these bytes before it ends the connection. */
async function send(t: TestContext, { url }: Gateway, lines: readonly string[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), signal: t.signal })
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  const answer = await text(socket)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head, body }
}

const HOST = 'Host: 127.0.0.1'
const CLOSE = 'Connection: close'

function assertProblem({ status, head, body }: RawAnswer, expected: { status: number; code: string }) {
  assert.equal(status, expected.status, `${head}\n${body}`)
  assert.match(head, /content-type: application\/problem\+json/i)
  const id = /x-request-id: (\S+)/i.exec(head)?.[1]
  const problem = Object(JSON.parse(body))
  assert.deepEqual([problem.code, problem.status, problem.request_id], [expected.code, expected.status, id])
}

const refused: [what: string, lines: string[], status: number, code: string][] = [
  ['a request without a Host', ['GET /sessions HTTP/1.1', CLOSE], 400, 'INVALID_REQUEST'],
  ['two Hosts', ['GET /sessions HTTP/1.1', HOST, HOST, CLOSE], 400, 'INVALID_REQUEST'],
  ['an expectation nobody meets', ['GET /health HTTP/1.1', HOST, 'Expect: banana', CLOSE], 417, 'EXPECTATION_FAILED'],
  ['a tunnel', ['CONNECT example.org:443 HTTP/1.1', 'Host: example.org:443'], 405, 'METHOD_NOT_ALLOWED'],
  ['what is no HTTP', ['hello'], 400, 'INVALID_REQUEST'],
]

test('what Node would answer itself is answered with a problem', async (t) => {
  const gateway = await startGateway(t)
  for (const [what, lines, status, code] of refused) {
    await t.test(what, async (t) => assertProblem(await send(t, gateway, lines), { status, code }))
  }
  await t.test('and the gateway goes on', async () => {
    assert.equal((await gateway.call('GET', '/health')).status, 200)
  })
})

test('a request that does not arrive is given up, and so is a connection that nobody uses', async (t) => {
  const gateway = await startGateway(t)
  const { server } = gateway.app
  const { headersTimeout, requestTimeout, keepAliveTimeout, maxRequestsPerSocket, timeout } = server
  assert.deepEqual([headersTimeout, requestTimeout, keepAliveTimeout], [30_000, 120_000, 72_000])
  // Whoever waits for a run says nothing meanwhile.
  assert.deepEqual([maxRequestsPerSocket, timeout], [10_000, 0])
  const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
  server.once('connection', (socket) => server.emit('clientError', late, socket))
  assertProblem(await send(t, gateway, ['POST /run HTTP/1.1', HOST, 'Content-Length: 9']), {
    status: 408,
    code: 'REQUEST_TIMEOUT',
  })
})

test('an HTTP/1.0 probe needs no Host', async (t) => {
  const gateway = await startGateway(t)
  assert.equal((await send(t, gateway, ['GET /health HTTP/1.0'])).status, 200)
})

test('a body that waits for a word gets it', async (t) => {
  const gateway = await startGateway(t)
  const lines = [
    'POST /run HTTP/1.1',
    HOST,
    CLOSE,
    'Content-Type: text/plain',
    'Content-Length: 7',
    'Expect: 100-continue',
  ]
  const answer = await send(t, gateway, [...lines, '', 'say: hi'])
  assert.equal(answer.status, 100)
  assert.match(answer.body, /^HTTP\/1\.1 200/)
})

test('every method a route does not have is a 405 that says which it has', async (t) => {
  const gateway = await startGateway(t)
  const known = new Set(['GET', 'HEAD', 'OPTIONS', 'CONNECT'])
  for (const method of METHODS.filter((name) => !known.has(name))) {
    const answer = await send(t, gateway, [`${method} /sessions/x/status HTTP/1.1`, HOST, CLOSE])
    assertProblem(answer, { status: 405, code: 'METHOD_NOT_ALLOWED' })
    assert.match(answer.head, /allow: GET, HEAD, OPTIONS/i, method)
  }
  assertProblem(await send(t, gateway, ['PROPFIND /nothing HTTP/1.1', HOST, CLOSE]), { status: 404, code: 'NOT_FOUND' })
})

test('a request presents one key', async (t) => {
  const keys = ['one', 'two'].map((id) => ({ ...singleKey(`key-of-${id}`), id, tenant: id }))
  const gateway = await startGateway(t, { app: { keys } })
  const ask = (...headers: string[]) => send(t, gateway, ['GET /sessions HTTP/1.1', HOST, CLOSE, ...headers])
  const one = 'Authorization: Bearer key-of-one'
  assert.equal((await ask(one)).status, 200)
  for (const second of [
    one,
    'Authorization: Bearer key-of-two',
    'authorization: Bearer nobody',
    'X-API-Key: key-of-two',
  ]) {
    assertProblem(await ask(one, second), { status: 401, code: 'UNAUTHORIZED' })
  }
  const plain = 'X-API-Key: key-of-one'
  assertProblem(await ask(plain, plain), { status: 401, code: 'UNAUTHORIZED' })
})

for (const value of ['1e2', '0x10', '0b1', '1.0', '%201', '1_0', '', '%2B1', 'true', '٣']) {
  test(`limit=${value} is no whole number`, async (t) => {
    const gateway = await startGateway(t)
    const answer = await gateway.call('GET', `/sessions?limit=${value}`)
    assert.equal(answer.status, 400, answer.text)
    assert.equal(Object(answer.json()['details']).field, 'limit')
  })
}

test('numbers and switches in a URL are read as what they say', async (t) => {
  const gateway = await startGateway(t)
  const made = (await gateway.call('POST', '/sessions', { prompt: 'say: hi' })).json()
  const log = `/sessions/${String(made['session_id'])}`
  for (const path of ['/sessions?limit=20', '/sessions?limit=007', `${log}/events?wait=0.5&limit=1`]) {
    assert.equal((await gateway.call('GET', path)).status, 200, path)
  }
  for (const path of [`${log}/events?wait=1e1`, `${log}/events?limit=1&limit=2`, `${log}/stream?follow=1`]) {
    assert.equal((await gateway.call('GET', path)).status, 400, path)
  }
})

test('a long path is not repeated at length', async (t) => {
  const gateway = await startGateway(t)
  for (const [path, status] of [
    ['/', 404],
    ['/sessions/', 400],
    ['/docs/', 404],
  ] as const) {
    const answer = await gateway.call('GET', `${path}${'x'.repeat(15_000)}`)
    assert.equal(answer.status, status)
    assert.ok(answer.text.length < 1500, `${answer.text.length} characters`)
    assert.match(String(answer.json()['instance']), /^\/[a-z]+\/?x+…$/)
  }
})

test('what stands in the query of a path that leads nowhere is not in the answer', async (t) => {
  const gateway = await startGateway(t)
  for (const [path, status] of [
    ['/sessions/%zz/stream', 400],
    [`/sessions/${'x'.repeat(200)}/stream`, 400],
    ['/nothing', 404],
    ['/docs/nothing', 404],
  ] as const) {
    const answer = await gateway.call('GET', `${path}?token=secret`)
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    assert.doesNotMatch(answer.text, /secret/)
  }
})
