import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createFaultProxy, type FaultProxy } from '../src/index.ts'

interface Scene {
  readonly proxy: FaultProxy
  readonly url: string
  /** Event streams that stand, as the server sees them. */
  readonly streams: Set<ServerResponse>
  /** Requests as the server sees them. */
  readonly seen: string[]
}

/** A server that answers with what it got, and streams for ever at `/stream`. */
async function start(t: TestContext): Promise<Scene> {
  const streams = new Set<ServerResponse>()
  const seen: string[] = []
  const server = createServer((incoming, response) => {
    seen.push(`${incoming.method} ${incoming.url}`)
    if (incoming.url === '/stream') {
      streams.add(response.on('close', () => streams.delete(response)))
      response.write('begun ')
    } else incoming.pipe(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = createFaultProxy({ target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  const url = await proxy.listen()
  t.after(async () => {
    await proxy.close()
    assert.equal(proxy.counts().open, 0)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { proxy, url, streams, seen }
}

/** A signal that ends a test which waits in vain. */
const limit = (): AbortSignal => AbortSignal.timeout(10_000)

/** Posts the text on a connection of its own and returns what comes back. */
async function post(url: string, text: string): Promise<string> {
  const outgoing = send(url, { method: 'POST', agent: false, signal: limit() })
  outgoing.end(text)
  return await read(await answerTo(outgoing))
}

async function answerTo(outgoing: ReturnType<typeof send>): Promise<IncomingMessage> {
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return answer
}

async function read(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

/** Opens the stream and waits until something of it has arrived. */
async function openStream(url: string): Promise<IncomingMessage> {
  const outgoing = send(`${url}/stream`, { agent: false, signal: limit() })
  outgoing.end()
  const answer = await answerTo(outgoing)
  answer.on('error', () => {})
  await once(answer, 'data')
  return answer
}

/** Whether it ends in peace or in an error. */
async function closed(stream: IncomingMessage | ServerResponse | Socket): Promise<void> {
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve))
}

test('what passes is as it was, in both directions, and is counted', async (t) => {
  const { proxy, url, seen } = await start(t)
  const text = 'ünï '.repeat(500_000)
  assert.equal(await post(`${url}/a?b=c`, text), text)
  assert.deepEqual(seen, ['POST /a?b=c'])
  assert.deepEqual(proxy.requests, seen)
  const { accepted, refused, requests, sentBytes, receivedBytes } = proxy.counts()
  assert.deepEqual([accepted, refused, requests], [1, 0, 1])
  assert.ok(sentBytes > Buffer.byteLength(text))
  assert.ok(receivedBytes > Buffer.byteLength(text))
  await proxy.until(({ open }) => open === 0, limit())
})

test('several requests of one connection are all seen', async (t) => {
  const { proxy, url } = await start(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  for (const path of ['/one', '/two']) {
    const outgoing = send(`${url}${path}`, { agent, signal: limit() })
    outgoing.end()
    await read(await answerTo(outgoing))
  }
  agent.destroy()
  assert.deepEqual(proxy.requests, ['GET /one', 'GET /two'])
  assert.equal(proxy.counts().accepted, 1)
})

test('a delay keeps the order and loses nothing', async (t) => {
  const { proxy, url } = await start(t)
  proxy.set({ kind: 'delay', delayMs: 5 })
  const text = Array.from({ length: 20_000 }, (_, index) => index).join(' ')
  assert.equal(await post(url, text), text)
})

test('what is delayed when the proxy closes is dropped', async (t) => {
  const { proxy, url, seen } = await start(t)
  proxy.set({ kind: 'delay', delayMs: 3_600_000 })
  const posting = post(url, 'x')
  await proxy.until(({ requests }) => requests === 1, limit())
  await Promise.all([assert.rejects(posting, { code: 'ECONNRESET' }), proxy.close()])
  assert.deepEqual(seen, [])
})

test('a cut destroys the connections that stand, and new ones pass', async (t) => {
  const { proxy, url, streams } = await start(t)
  const stream = await openStream(url)
  const [stand] = streams
  assert.equal(proxy.cut(), 1)
  assert.ok(stand)
  await Promise.all([closed(stream), closed(stand)])
  assert.equal(stream.complete, false)
  assert.equal(await post(url, 'again'), 'again')
})

test('a cut may be of some requests only', async (t) => {
  const { proxy, url } = await start(t)
  const both = [await openStream(url), await openStream(url)]
  assert.equal(proxy.cut({ request: /^GET \/nothing/ }), 0)
  assert.equal(proxy.cut({ request: /^GET \/stream/ }), 2)
  await Promise.all(both.map((stream) => closed(stream)))
})

test('a refused connection is closed without an answer', async (t) => {
  const { proxy, url, seen } = await start(t)
  proxy.set({ kind: 'refuse' })
  await assert.rejects(post(url, 'x'))
  assert.deepEqual(seen, [])
  assert.equal(proxy.counts().refused, 1)
  proxy.set({ kind: 'pass' })
  assert.equal(await post(url, 'x'), 'x')
})

test('a mode may be for some requests only, and the one set last counts', async (t) => {
  const { proxy, url, streams } = await start(t)
  const stream = await openStream(url)
  proxy.set({ kind: 'refuse' }, { request: /\/stream$/ })
  await assert.rejects(openStream(url))
  assert.equal(await post(url, 'others pass'), 'others pass')
  for (const response of streams) response.write('still here')
  assert.equal(String((await once(stream, 'data'))[0]), 'still here')
  proxy.set({ kind: 'pass' }, { request: /\/stream$/ })
  await openStream(url)
  proxy.set({ kind: 'refuse' })
  await assert.rejects(post(url, 'x'))
})

test('half-open loses everything and closes nothing, and what lost something never recovers', async (t) => {
  const { proxy, url, streams } = await start(t)
  const stream = await openStream(url)
  const told: string[] = []
  stream.on('data', (piece: Buffer) => told.push(String(piece)))
  proxy.set({ kind: 'half-open' })
  for (const response of streams) response.end('lost')
  const silent = connect({ port: Number(new URL(url).port), host: '127.0.0.1' })
  silent.end('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await proxy.until(({ requests }) => requests === 2, limit())
  proxy.set({ kind: 'pass' })
  // A whole exchange later nothing has arrived on either.
  assert.equal(await post(url, 'others pass'), 'others pass')
  assert.deepEqual(told, [])
  assert.equal(stream.complete || stream.closed || silent.readableEnded, false)
  assert.equal(proxy.counts().open >= 2, true)
  proxy.cut()
  await Promise.all([closed(stream), closed(silent.resume())])
})

test('garbage breaks an answer that begins, and is in one that goes on', async (t) => {
  const { proxy, url, streams } = await start(t)
  const stream = await openStream(url)
  proxy.set({ kind: 'garbage' })
  await assert.rejects(post(url, 'x'), { code: /^HPE_/ })
  proxy.set({ kind: 'garbage', bytes: '3\r\n???\r\n' })
  for (const response of streams) response.write('real')
  const pieces: string[] = []
  for await (const piece of stream) {
    pieces.push(String(piece))
    if (pieces.join('').includes('real')) break
  }
  assert.equal(pieces.join(''), '???real')
})

test('sliced bytes arrive whole', async (t) => {
  const { proxy, url } = await start(t)
  proxy.set({ kind: 'slice' })
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' })
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece as Buffer)
  assert.match(Buffer.concat(pieces).toString(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/)
  assert.ok(pieces.length > 10, `${pieces.length} pieces`)
  assert.equal(await post(url, 'ünï'), 'ünï')
})

for (const by of ['silence', 'cut'] as const) {
  test(`after so many bytes of the answer there is ${by}`, async (t) => {
    const { proxy, url } = await start(t)
    proxy.set({ kind: 'stop', afterBytes: 20, by })
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' })
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    const pieces: string[] = []
    socket.on('data', (piece: Buffer) => pieces.push(String(piece)))
    await proxy.until(({ receivedBytes }) => receivedBytes === 20, limit())
    if (by === 'silence') {
      assert.equal(proxy.counts().open, 1)
      proxy.cut()
    }
    await closed(socket)
    assert.equal(pieces.join(''), 'HTTP/1.1 200 OK\r\nDat')
  })
}

test('every request gets the answer that is set, and the target hears nothing', async (t) => {
  const { proxy, url, seen } = await start(t)
  const page = '<html>all is well</html>'
  proxy.set({ kind: 'answer', bytes: `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n${page}` })
  assert.equal(await post(url, 'x'), page)
  assert.deepEqual(seen, [])
})

test('a target that is not there is a connection that breaks', async (t) => {
  const { proxy, url } = await start(t)
  const nobody = createFaultProxy({ target: url })
  const nobodysUrl = await nobody.listen()
  await proxy.close()
  await assert.rejects(post(nobodysUrl, 'x'))
  await nobody.until(({ open }) => open === 0, limit())
  await nobody.close()
})

test('closed twice, and closed without having listened', async (t) => {
  const { proxy } = await start(t)
  const waiting = assert.rejects(
    proxy.until(() => false, limit()),
    /closed/,
  )
  await proxy.close()
  await proxy.close()
  await waiting
  await createFaultProxy({ target: 'http://127.0.0.1:1' }).close()
})
