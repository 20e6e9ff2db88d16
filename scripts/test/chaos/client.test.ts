import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createApi, UnexpectedAnswer } from '../../chaos/lib/api.ts'
import { followSession } from '../../chaos/lib/follower.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<() => string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return () => `http://127.0.0.1:${port}`
}

const event = (id: number, type: string) => `id: ${id}\nevent: ${type}\ndata: {"run_id":"r1"}\n\n`

test('a follower goes on after what it has, and does not count half an event', async (t) => {
  const asked: (string | undefined)[] = []
  const url = await serve(t, ({ headers }, response) => {
    asked.push(headers['last-event-id'] as string | undefined)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('event: status\ndata: {"snapshot":true}\n\n')
    if (asked.length > 1) return response.end(event(2, 'complete'))
    return response.write(event(1, 'output') + event(2, 'complete').slice(0, -1), () => response.destroy())
  })
  const follower = followSession(url, 's1', t.signal)
  await follower.until(() => ['r1'])
  assert.deepEqual(
    follower.received.map(({ id, event }) => [id, event]),
    [
      [1, 'output'],
      [2, 'complete'],
    ],
  )
  assert.deepEqual(asked, [undefined, '1'])
  assert.deepEqual(follower.surprises, [])
})

test('a follower keeps duplicates, which are for a check to find, and answers nobody should get', async (t) => {
  let connections = 0
  const url = await serve(t, (_request, response) => {
    connections += 1
    if (connections === 2) return response.writeHead(400).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    return response.end(connections === 1 ? event(1, 'output') : event(1, 'output') + event(2, 'complete'))
  })
  const follower = followSession(url, 's1', t.signal)
  await follower.until(() => ['r1'])
  assert.deepEqual(
    follower.received.map(({ id }) => id),
    [1, 1, 2],
  )
  assert.deepEqual(follower.surprises, ['the stream of session s1 after event 1 was answered with 400'])
})

test('an order is repeated under its key until somebody takes it, wherever that is', async (t) => {
  const keys: unknown[] = []
  const dying = await serve(t, ({ headers, socket }) => {
    keys.push(headers['idempotency-key'])
    socket.destroy()
  })
  const busy = await serve(t, ({ headers }, response) => {
    keys.push(headers['idempotency-key'])
    if (keys.length < 3) response.writeHead(503).end('{}')
    else response.writeHead(202).end('{"run_id":"r1"}')
  })
  const api = createApi(() => (keys.length === 0 ? dying() : busy()), t.signal)
  assert.deepEqual(await api.post('/run', {}, 'key'), { run_id: 'r1' })
  assert.deepEqual(keys, ['key', 'key', 'key'])
})

test('an answer that does not ask to come again is an error', async (t) => {
  const url = await serve(t, (_request, response) => response.writeHead(422).end('{}'))
  await assert.rejects(createApi(url, t.signal).post('/run', {}, 'key'), UnexpectedAnswer)
})
