import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as listenRaw, type AddressInfo, type Server, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { checkProvider } from '../src/check-provider.ts'
import { createConnections } from '../src/connections.ts'
import { forward, type ForwardEnd } from '../src/forward.ts'
import { createUpstream } from '../src/upstream.ts'
import { startProvider } from './provider.ts'
import { eventually, startScene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const CHAT = '/chat/completions'

async function listening(t: TestContext, server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Answers what comes first on a connection. */
async function startRaw(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const server = listenRaw((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
    t.after(() => socket.destroy())
  })
  return await listening(t, server)
}

for (const status of ['000', '099', '101', '199 X\r\n\r\nHTTP/1.1 101']) {
  test(`a provider that answers with the status ${JSON.stringify(status)} is no provider`, LIMIT, async (t) => {
    const address = await startRaw(t, (socket) => socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: 2\r\n\r\nhi`))
    const scene = await startScene(t, address)
    await scene.begin()
    const answer = await scene.call(CHAT)
    assert.equal(answer.status, 502)
    assert.match(await answer.text(), /something that is no answer/)
  })
}

test('a key that cannot stand in a header gives an error that is final, and nothing else ends', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{}'))
  const upstreams = new Map([['acme', createUpstream(provider.address, { key: 'key\n' })]])
  const scene = await startScene(t, provider.address, { upstreams })
  await scene.begin()
  assert.equal((await scene.call(CHAT)).status, 400)
  assert.equal(provider.calls.length, 0)
})

/** An engine's call that is passed on over the one connection there may be. */
async function startForward(t: TestContext, provider: string) {
  const connections = createConnections({ connectTimeoutMs: 10_000, maxConnections: 1 })
  t.after(() => connections.close())
  const upstream = createUpstream(provider)
  const leaving = new AbortController()
  const taken = Promise.withResolvers<{ response: ServerResponse; ended: Promise<ForwardEnd> }>()
  const limits = { maxAnswerBytes: 1024 ** 3, silenceTimeoutMs: 10_000, signal: leaving.signal }
  const proxy = createServer((_, response) => {
    const call = { connections, upstream, path: '/', headers: {}, body: Buffer.from('{}'), response, ...limits }
    taken.resolve({ response, ended: forward(call) })
  })
  const address = await listening(t, proxy)
  const call = (): ClientRequest =>
    request(address, { method: 'POST', agent: false })
      .on('error', () => {})
      .end()
  return { connections, call, taken: taken.promise, leave: () => leaving.abort() }
}

test('an engine that reads slowly gets the whole answer of a provider that has closed', LIMIT, async (t) => {
  const piece = Buffer.alloc(16_384, 'x')
  let sent = 0
  let closed = false
  const provider = createServer(async (_, response) => {
    response.socket?.on('close', () => (closed = true))
    response.writeHead(200, { connection: 'close' })
    const { response: toEngine } = await proxy.taken
    const write = (): void => {
      sent += piece.length
      if (toEngine.writableNeedDrain) response.end(piece)
      else response.write(piece, () => setImmediate(write))
    }
    write()
  })
  const proxy = await startForward(t, await listening(t, provider))
  const [answer] = (await once(proxy.call(), 'response')) as [IncomingMessage]
  await eventually(t, () => closed)
  assert.equal((await buffer(answer)).length, sent)
  const { ended } = await proxy.taken
  assert.deepEqual(await ended, { kind: 'answered', status: 200 })
})

test('whoever waits for a connection can leave', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.write('data: one\n\n'))
  const { connections, call, taken, leave } = await startForward(t, provider.address)
  const busy = connections.request({ origin: provider.address, path: '/', method: 'POST', headers: {} }).end()
  const [answer] = (await once(busy, 'response')) as [IncomingMessage]
  t.after(() => answer.on('error', () => {}).destroy())
  call()
  const { ended } = await taken
  leave()
  assert.deepEqual(await ended, { kind: 'left', sent: false, status: 0 })
  const checked = { kind: 'acme', endpoint: provider.address, key: undefined, model: 'm' }
  const options = { upstreams: new Map(), connections, timeoutMs: 20, maxAnswerBytes: 1000 }
  assert.equal((await checkProvider(checked, options, t.signal)).fault, 'timeout')
  assert.equal(provider.calls.length, 1)
})

test('the rest of a call is not sent to a provider that has answered without it', LIMIT, async (t) => {
  let taken = 0
  let provider: Socket | undefined
  const address = await startRaw(t, (socket) => {
    provider = socket.pause()
    socket.write('HTTP/1.1 400 X\r\ncontent-length: 2\r\n\r\nno')
  })
  const scene = await startScene(t, address)
  await scene.begin()
  const body = JSON.stringify({ model: 'm', input: 'x'.repeat(30 * 1024 ** 2) })
  assert.equal(await (await scene.call(CHAT, { body })).text(), 'no')
  assert.ok(provider)
  provider.on('data', (chunk) => (taken += chunk.length))
  await once(provider.resume(), 'close')
  assert.ok(taken < body.length / 2, `${taken} bytes of ${body.length} were sent`)
})
