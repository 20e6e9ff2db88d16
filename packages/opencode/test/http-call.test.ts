import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { connect as connectTo, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { createHttpCalls } from '../src/http-call.ts'

const LIMIT = { timeout: 10_000 }
const NOWHERE = new URL('http://engine/')

async function startEngine(t: TestContext, answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test(
  'a call that is given up while its connection is opened ends, and the connection serves the next',
  LIMIT,
  async (t) => {
    const port = await startEngine(t, (_, response) => response.end('hello'))
    const opening: ((socket: Socket) => void)[] = []
    const connect = (): Promise<Socket> => new Promise((resolve) => opening.push(resolve))
    const calls = createHttpCalls({ connectTimeoutMs: 5_000, connect })
    t.after(() => calls.close())
    const leaving = new AbortController()
    const first = calls.send(NOWHERE, { method: 'POST', headers: {}, body: '{}', signal: leaving.signal })
    const reason = new Error('enough')
    leaving.abort(reason)
    await assert.rejects(first, reason)
    const socket = connectTo(port, '127.0.0.1')
    opening.shift()?.(socket)
    await once(socket, 'connect')
    const second = await calls.send(NOWHERE, { method: 'GET', headers: {}, signal: t.signal })
    assert.equal(await text(second), 'hello')
    assert.equal(opening.length, 0)
  },
)

test('a connection that is never opened ends its call in time', LIMIT, async (t) => {
  const calls = createHttpCalls({ connectTimeoutMs: 20, connect: () => new Promise(() => {}) })
  t.after(() => calls.close())
  const call = calls.send(NOWHERE, { method: 'GET', headers: {}, signal: t.signal })
  await assert.rejects(call, /no connection within 20 ms/)
})
