import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { readAll, scene, tcpServer, tlsServer, tunnelTo } from './scene.ts'

const MANY = 64 * 1024 ** 2

test('TLS goes through to its end, and is counted', async (t) => {
  const port = await tlsServer(t, (socket) =>
    socket.on('data', (chunk: Buffer) => socket.end(`heard ${String(chunk)}`)),
  )
  const { socketPath, passed, logged, untilPassed } = await scene(t, { privateHosts: `a.test:${port}` })
  const socket = await tunnelTo(socketPath, `a.test:${port}`)
  const secure = connectTls({ socket, rejectUnauthorized: false })
  secure.write('words')
  assert.equal(await readAll(secure), 'heard words')
  secure.end()
  await untilPassed(1)
  assert.equal(passed[0]?.outcome, 'passed')
  assert.ok((passed[0]?.receivedBytes ?? 0) > 100 && (passed[0]?.sentBytes ?? 0) > 100)
  assert.deepEqual(
    logged.map(({ level, fields: { sessionId, host, port: to, outcome } }) => [level, sessionId, host, to, outcome]),
    [['debug', 'one', 'a.test', port, 'passed']],
  )
  assert.equal(typeof logged[0]?.fields['durationMs'], 'number')
})

test('what comes right behind the request goes first', async (t) => {
  const port = await tcpServer(t, (socket) => void readAll(socket).then((text) => socket.end(`<${text}>`)))
  const { socketPath } = await scene(t, { privateHosts: `a.test:${port}` })
  const socket = connect({ path: socketPath, allowHalfOpen: true })
  socket.end(`CONNECT a.test:${port} HTTP/1.1\r\nhost: a\r\n\r\nfirst`)
  assert.match(await readAll(socket), / 200 [^]*\r\n\r\n<first>$/)
})

test('either side may have said all and still listen', async (t) => {
  const after = await tcpServer(t, (socket) => void readAll(socket).then((text) => socket.end(`<${text}>`)))
  const heard: Promise<string>[] = []
  const before = await tcpServer(t, (socket) => {
    heard.push(readAll(socket))
    socket.end('all of mine')
  })
  const { socketPath, untilPassed } = await scene(t, { privateHosts: `a.test:${after},a.test:${before}` })
  const asking = await tunnelTo(socketPath, `a.test:${after}`)
  asking.end('question')
  assert.equal(await readAll(asking), '<question>')
  const listening = await tunnelTo(socketPath, `a.test:${before}`)
  assert.equal(await readAll(listening), 'all of mine')
  const ours = 'all of ours, '.repeat(1_000_000)
  listening.end(ours)
  assert.ok((await heard[0]) === ours, 'what was sent last did not come')
  await untilPassed(2)
})

test('a side that does not read holds up the other one, and loses nothing', async (t) => {
  let sent = 0
  const pump = (socket: Socket, piece = Buffer.alloc(64 * 1024)): void => {
    while (sent < MANY) {
      sent += piece.length
      if (!socket.write(piece)) return void socket.once('drain', () => pump(socket, piece))
    }
    socket.end()
  }
  const port = await tcpServer(t, (socket) => pump(socket))
  const echo = await tcpServer(t, (socket) => socket.pipe(socket))
  const { socketPath } = await scene(t, { privateHosts: `a.test:${port},a.test:${echo}` })
  const asking = await tunnelTo(socketPath, `a.test:${echo}`)
  asking.resume()
  const lazy = await tunnelTo(socketPath, `a.test:${port}`)
  for (let turn = 0; turn < 500; turn += 1) {
    asking.write('x')
    await once(asking, 'data')
  }
  assert.ok(sent < MANY / 4, `${sent} bytes were taken from the host, and nobody reads them`)
  let received = 0
  for await (const chunk of lazy) received += (chunk as Buffer).length
  assert.equal(received, MANY)
})
