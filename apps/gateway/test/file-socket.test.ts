import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { GatewayError, type FileChange, type WorkspaceFiles, type Workspaces } from '@opencode-gateway/contracts'
import { readEvents } from './event-source.ts'
import { eventually } from './gateway.ts'
import { closeOf, handshake, openSocket, readToEnd, sendHead, type SocketMessage } from './web-socket.ts'
import { as, startFilesGateway, type FilesGateway } from './workspaces.ts'

const watchOf = ({ url, session }: FilesGateway): string => `${url}${session}/files/watch`
const isReady = ({ event }: SocketMessage): boolean => event === 'ready'

/** Workspaces that can be watched and nothing else. */
const found = (watch: WorkspaceFiles['watch']) =>
  ({ find: async () => ({ files: { watch } }) }) as unknown as Workspaces

/** Without what differs between two readers of the same. */
const toldOf = ({ event, data: { path, change } }: SocketMessage) => ({ event, path, change })

test('B7: a socket and an event stream tell of the same changes in the same words', async (t) => {
  const gateway = await startFilesGateway(t)
  const socket = await openSocket(t, watchOf(gateway), as('reader'))
  await using stream = await readEvents(watchOf(gateway), t.signal, { headers: as('reader') })
  await socket.until(isReady)
  await stream.until(({ event }) => event === 'ready')
  await mkdir(join(gateway.root, 'd'))
  await writeFile(join(gateway.root, 'd/f'), 'one')
  const [told] = (await socket.until(({ data }) => data.path === 'd/f')).slice(-1)
  const [streamed] = (await stream.until(({ data }) => data.path === 'd/f')).slice(-1)
  assert.ok(told && streamed)
  assert.deepEqual(toldOf(told), { event: 'file', path: 'd/f', change: 'created' })
  assert.deepEqual(toldOf(told), toldOf(streamed))
  assert.equal(new Date(String(told.data.timestamp)).toISOString(), told.data.timestamp)
  const open = await gateway.call('GET', '/metrics', undefined, as('reader'))
  assert.ok(/event_streams_open 2$/m.test(open.text))
  socket.close()
  await eventually(t, () => gateway.app.webSockets.open() === 0)
  const metrics = await gateway.call('GET', '/metrics', undefined, as('reader'))
  assert.ok(/seconds_count\{route="[^"]*watch",method="GET",status="1xx"\} 1$/m.test(metrics.text))
  assert.ok(!gateway.logged().includes('left before the end'))
})

test('an upgrade that is refused is answered with a problem, and the connection ends', async (t) => {
  const gateway = await startFilesGateway(t, { env: { MAX_STREAMS_PER_KEY: '1' } })
  const watch = watchOf(gateway)
  const nobodys = watch.replace(/sessions\/[^/]+/, 'sessions/00000000-0000-4000-8000-000000000000')
  const good = { ...handshake(), ...as('usual') }
  const bad = (changed: Record<string, string>) => ({ ...good, ...changed })
  const cases: [string, string, Record<string, string>, number, string][] = [
    ['no key', watch, handshake(), 401, 'UNAUTHORIZED'],
    ['a wrong key', watch, bad({ 'x-api-key': 'x' }), 401, 'UNAUTHORIZED'],
    ['a key in the query alone', `${watch}?api_key=usual`, handshake(), 401, 'UNAUTHORIZED'],
    ['a query', `${watch}?token=usual`, good, 400, 'INVALID_REQUEST'],
    ['no such session', nobodys, good, 404, 'SESSION_NOT_FOUND'],
    ['no id', watch.replace(/sessions\/[^/]+/, 'sessions/x'), good, 400, 'INVALID_REQUEST'],
    ['another version', watch, bad({ 'sec-websocket-version': '7' }), 400, 'INVALID_REQUEST'],
    ['a bad nonce', watch, bad({ 'sec-websocket-key': 'short' }), 400, 'INVALID_REQUEST'],
    ['a bad subprotocol', watch, bad({ 'sec-websocket-protocol': 'a,,b' }), 400, 'INVALID_REQUEST'],
  ]
  for (const [what, url, headers, status, code] of cases) {
    const answer = (await readToEnd(sendHead(t, url, headers))).toString()
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(head, new RegExp(`^HTTP/1.1 ${status} `), what)
    assert.match(head, /^content-type: application\/problem\+json/im, what)
    assert.match(head, /^x-request-id: /im, what)
    assert.match(head, /^connection: close/im, what)
    assert.equal((JSON.parse(body) as { code: string }).code, code, what)
  }
  // None of them has kept the one stream that the key may have.
  const socket = await openSocket(t, watch, as('usual'))
  await socket.until(isReady)
  const full = (await readToEnd(sendHead(t, watch, good))).toString()
  assert.match(full, /^HTTP\/1.1 429 .*"code":"TOO_MANY_STREAMS"/s)
  socket.close()
  await socket.closed
  await eventually(t, () => gateway.app.webSockets.open() === 0)
  await (await openSocket(t, watch, as('usual'))).until(isReady)
})

test('without keys a page of another origin gets no socket', async (t) => {
  const gateway = await startFilesGateway(t, { app: { keys: [] }, env: {} })
  const made = await gateway.call('POST', '/sessions', {})
  const watch = `${gateway.url}/sessions/${String(made.json().session_id)}/files/watch`
  await gateway.call('PUT', `/sessions/${String(made.json().session_id)}/files/content?path=x`, 'x')
  for (const headers of [{ origin: 'https://elsewhere.example' }, { origin: 'null' }, { host: 'rebound.example' }]) {
    const answer = (await readToEnd(sendHead(t, watch, { ...handshake(), ...headers }))).toString()
    assert.match(answer, /^HTTP\/1.1 403 .*"code":"FORBIDDEN"/s, JSON.stringify(headers))
  }
  await (await openSocket(t, watch, { origin: gateway.url })).until(isReady)
})

test('an upgrade to what is no socket is ignored, and its body is read', async (t) => {
  const gateway = await startFilesGateway(t)
  const once = { ...as('all'), connection: 'Upgrade, close' }
  for (const headers of [
    { ...handshake(), ...once },
    { upgrade: 'h2c', ...once },
  ]) {
    const health = await readToEnd(sendHead(t, `${gateway.url}/healthz`, headers))
    assert.match(health.toString(), /^HTTP\/1.1 200 /)
    const body = JSON.stringify({ labels: { a: 'b' } })
    const json = { ...headers, 'content-type': 'application/json', 'content-length': String(body.length) }
    const made = await readToEnd(sendHead(t, `${gateway.url}/sessions`, json, 'POST', body))
    assert.match(made.toString(), /^HTTP\/1.1 201 /)
    const watch = await readToEnd(sendHead(t, watchOf(gateway), { ...headers, accept: 'text/html' }, 'POST'))
    assert.match(watch.toString(), /^HTTP\/1.1 405 /)
  }
  const h2c = sendHead(t, watchOf(gateway), { ...once, upgrade: 'h2c', accept: 'text/html' })
  assert.match((await readToEnd(h2c)).toString(), /^HTTP\/1.1 406 /)
})

test('a reader that does not answer pings is dropped and told why', async (t) => {
  const env = { HEARTBEAT_INTERVAL: '100ms', STREAM_STALL_TIMEOUT: '200ms' }
  const gateway = await startFilesGateway(t, { env })
  const well = await openSocket(t, watchOf(gateway), as('all'))
  await well.until(isReady)
  const silent = await readToEnd(sendHead(t, watchOf(gateway), { ...handshake(), ...as('all') }))
  const { code, reason } = closeOf(silent)
  assert.equal(code, 1008)
  assert.match(reason, /ping was not answered within 200 ms/)
  const metrics = await gateway.call('GET', '/metrics', undefined, as('all'))
  assert.ok(/streams_dropped_total 1$/m.test(metrics.text))
  // Who answers them is not.
  await writeFile(join(gateway.root, 'f'), 'x')
  await well.until(({ data }) => data.path === 'f')
})

test('a reader that takes nothing is dropped, and a bounded part of what there was waits for it', async (t) => {
  let told = 0
  async function* endless(signal: AbortSignal): AsyncGenerator<readonly FileChange[]> {
    yield []
    const change = { path: 'x'.repeat(4000), change: 'created' } as const
    for (; !signal.aborted; told += 100) yield Array.from({ length: 100 }, () => change)
  }
  const gateway = await startFilesGateway(t, { env: { STREAM_STALL_TIMEOUT: '300ms' }, workspaces: found(endless) })
  const connected = once(gateway.app.server, 'connection', { signal: t.signal })
  const socket = sendHead(t, watchOf(gateway), { ...handshake(), ...as('all') })
  socket.pause()
  const [connection] = await connected
  await once(connection, 'close', { signal: t.signal })
  await eventually(t, () => gateway.app.webSockets.open() === 0)
  // What the kernels of both sides keep is a few MB; a reader cannot make the gateway keep more.
  assert.ok(told < 10_000, `${told} changes were taken for a reader that takes none`)
})

test('a socket takes no messages', async (t) => {
  const gateway = await startFilesGateway(t)
  const socket = await openSocket(t, watchOf(gateway), as('all'))
  await socket.until(isReady)
  socket.send('{"type":"cancel"}')
  assert.deepEqual(await socket.closed, { code: 1003, reason: 'No messages are taken here.' })
  const large = await openSocket(t, watchOf(gateway), as('all'))
  await large.until(isReady)
  large.send('x'.repeat(5000))
  assert.equal((await large.closed).code, 1009)
  await eventually(t, () => gateway.app.webSockets.open() === 0)
})

test('a socket ends with its workspace', async (t) => {
  const gateway = await startFilesGateway(t)
  const socket = await openSocket(t, watchOf(gateway), as('all'))
  await socket.until(isReady)
  await rm(gateway.root, { recursive: true })
  assert.deepEqual(await socket.closed, { code: 1000, reason: 'The workspace has gone.' })
  await eventually(t, () => gateway.app.webSockets.open() === 0)
})

async function* broken(): AsyncGenerator<readonly FileChange[]> {
  yield []
  throw new GatewayError('WORKSPACE_ERROR', 'the disk of the operator')
}

test('a socket whose watch breaks is told so, and the reason is for the log', async (t) => {
  const gateway = await startFilesGateway(t, { workspaces: found(broken) })
  const socket = await openSocket(t, watchOf(gateway), as('all'))
  assert.deepEqual(await socket.closed, { code: 1011, reason: 'Internal error.' })
  assert.match(gateway.logged(), /the disk of the operator/)
})

test('when the gateway stops, sockets are told and end, also those whose reader does not answer', async (t) => {
  const gateway = await startFilesGateway(t, { env: { SHUTDOWN_GRACE: '2s' } })
  const socket = await openSocket(t, watchOf(gateway), as('all'))
  await socket.until(isReady)
  const deaf = sendHead(t, watchOf(gateway), { ...handshake(), ...as('all') })
  await once(deaf, 'data')
  const rest = readToEnd(deaf)
  await eventually(t, () => gateway.app.webSockets.open() === 2)
  await gateway.app.close()
  assert.deepEqual(await socket.closed, { code: 1001, reason: 'The gateway is shutting down.' })
  assert.equal(
    closeOf(Buffer.concat([Buffer.from('\r\n\r\n'), (await rest).subarray((await rest).lastIndexOf(0x88))])).code,
    1001,
  )
  assert.equal(gateway.app.webSockets.open(), 0)
})
