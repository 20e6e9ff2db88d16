import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { httpServer, raw, readAll, scene, tcpServer, tunnelTo } from './scene.ts'

const ask = (authority: string) => `CONNECT ${authority} HTTP/1.1\r\nhost: x\r\n\r\n`
const get = (authority: string) => `GET http://${authority}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`

test('one session has a most, all have one together, and what ends makes room', async (t) => {
  const port = await tcpServer(t, (socket) => socket.on('end', () => socket.end()).resume())
  const limits = { maxConnections: 2, maxAllConnections: 3 }
  const { socketPath, another, untilPassed } = await scene(t, { privateHosts: `a.test:${port}`, limits })
  const other = await another()
  const name = `a.test:${port}`
  const open = [await tunnelTo(socketPath, name), await tunnelTo(socketPath, name), await tunnelTo(other, name)]
  const own = await raw(socketPath, ask(name))
  assert.equal(`${own.status} ${own.text}`, '503 This container has 2 connections, the most it may have.\n')
  const all = await raw(other, get(name))
  assert.equal(all.status, 503)
  assert.match(all.text, /All containers together/)
  for (const socket of open) socket.end()
  await untilPassed(5)
  for (const path of [socketPath, other]) (await tunnelTo(path, name)).destroy()
})

test('whoever leaves before there is an answer gives its place back', async (t) => {
  const asked: (() => void)[] = []
  const resolve = () => new Promise<readonly string[]>((settle) => void asked.push(() => settle(['127.0.0.1'])))
  const port = await httpServer(t, (_request, response) => void response.end('well'))
  const limits = { maxConnections: 1, connectTimeoutMs: 300 }
  const { socketPath, passed, untilPassed } = await scene(t, { privateHosts: `a.test:${port}`, limits, resolve })
  for (const bytes of [ask(`a.test:${port}`), get(`a.test:${port}`)]) {
    const before = passed.length
    const socket = connect({ path: socketPath })
    socket.write(bytes)
    while (asked.length === 0) await new Promise(setImmediate)
    socket.destroy()
    await untilPassed(before + 1)
    asked.shift()?.()
  }
  const asking = raw(socketPath, get(`a.test:${port}`))
  while (asked.length === 0) await new Promise(setImmediate)
  asked.shift()?.()
  assert.equal((await asking).text, 'well')
})

test('what is not there, does not answer, or falls silent ends, and says which it was', async (t) => {
  const silent = await tcpServer(t, (socket) => socket.resume())
  const limits = { connectTimeoutMs: 200, idleTimeoutMs: 200 }
  const answers: Record<string, () => Promise<readonly string[]>> = {
    'never.test': () => new Promise(() => {}),
    'none.test': () => Promise.resolve([]),
    'unknown.test': () => Promise.reject(new Error('ENOTFOUND')),
  }
  const resolve = (host: string) => answers[host]?.() ?? Promise.resolve(['127.0.0.1'])
  const { socketPath, passed, untilPassed } = await scene(t, {
    privateHosts: `*.test,*.test:${silent},*.test:1`,
    limits,
    resolve,
  })
  const expected = [
    ['never.test:80', 504, 'timed_out'],
    ['none.test:80', 502, 'unresolved'],
    ['unknown.test:80', 502, 'unresolved'],
    ['closed.test:1', 502, 'unreachable'],
  ] as const
  for (const [name, status, outcome] of expected)
    for (const bytes of [ask(name), get(name)]) {
      assert.equal((await raw(socketPath, bytes)).status, status, bytes)
      assert.equal(passed.at(-1)?.outcome, outcome, bytes)
    }
  assert.equal((await raw(socketPath, get(`silent.test:${silent}`))).status, 504)
  const tunnel = await tunnelTo(socketPath, `silent.test:${silent}`)
  assert.equal(await readAll(tunnel), '')
  await untilPassed(2 * expected.length + 2)
  assert.deepEqual(
    passed.slice(-2).map(({ outcome }) => outcome),
    ['timed_out', 'timed_out'],
  )
})

test('the address after one that does not answer is tried', async (t) => {
  const port = await httpServer(t, (_request, response) => void response.end('reached'))
  // Nothing listens there.
  const resolve = () => Promise.resolve(['127.9.9.9', '127.0.0.1'])
  const { socketPath } = await scene(t, { privateHosts: `a.test:${port}`, resolve })
  assert.equal((await raw(socketPath, get(`a.test:${port}`))).text, 'reached')
})

test('with its session everything of it ends, and another session goes on', async (t) => {
  const ended: Promise<unknown>[] = []
  const port = await tcpServer(t, (socket) => {
    ended.push(once(socket, 'close'))
    socket.on('data', (chunk: Buffer) => {
      if (!String(chunk).startsWith('GET')) socket.write(chunk)
    })
    socket.on('end', () => socket.end())
  })
  const { socketPath, another, end, untilPassed } = await scene(t, { privateHosts: `a.test:${port}` })
  const other = await tunnelTo(await another(), `a.test:${port}`)
  const tunnel = await tunnelTo(socketPath, `a.test:${port}`)
  const asking = raw(socketPath, get(`a.test:${port}`))
  const idle = connect({ path: socketPath })
  await once(idle, 'connect')
  while (ended.length < 3) await new Promise(setImmediate)
  const isGone = (socket: Socket) => Promise.race([once(socket, 'end'), once(socket, 'close')])
  const gone = [tunnel, idle].map((socket: Socket) => isGone(socket.resume().on('error', () => {})))
  await end()
  await Promise.all([...gone, asking, ...ended.slice(1), untilPassed(2)])
  other.write('still there')
  other.resume()
  assert.equal(String((await once(other, 'data'))[0]), 'still there')
  await assert.rejects(once(connect({ path: socketPath }), 'connect'), /ENOENT/)
})
