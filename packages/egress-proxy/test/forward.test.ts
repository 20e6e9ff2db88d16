import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { httpServer, raw, scene, tcpServer } from './scene.ts'

test('a request reaches its host with its body, and the answer comes back as it was', async (t) => {
  const seen: string[] = []
  const port = await httpServer(t, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    seen.push(`${request.method} ${request.url} ${request.headers.host} ${body}`)
    response.writeHead(418, ['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-own', 'x'])
    response.end('answer')
  })
  const { socketPath, passed, untilPassed } = await scene(t, { privateHosts: `a.test:${port}` })
  for (const headers of [{ 'content-length': '4' }, { 'transfer-encoding': 'chunked' }]) {
    const path = `http://a.test:${port}/path?query=%20`
    const asking = request({ socketPath, path, method: 'POST', headers: { ...headers, host: 'another.test' } })
    asking.end('body')
    const [answer] = await once(asking, 'response')
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    assert.equal(`${answer.statusCode} ${text}`, '418 answer')
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(answer.headers['x-own'], 'x')
  }
  const line = `POST /path?query=%20 a.test:${port} body`
  assert.deepEqual(seen, [line, line], 'the host is the one of the URL')
  await untilPassed(2)
  assert.ok(
    passed.every(({ outcome, sentBytes, receivedBytes }) => outcome === 'passed' && sentBytes > 4 && receivedBytes > 6),
  )
})

test('what is of one connection alone does not go on, in either direction', async (t) => {
  const seen: string[] = []
  const port = await httpServer(t, ({ rawHeaders }, response) => {
    seen.push(...rawHeaders.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase()))
    const own = [
      'proxy-authenticate',
      'Basic',
      'connection',
      'x-hop',
      'x-hop',
      '1',
      'x-kept',
      '1',
      'content-length',
      '0',
    ]
    response.writeHead(200, own)
    response.end()
  })
  const { socketPath } = await scene(t, { privateHosts: `a.test:${port}` })
  const lines = [
    'Proxy-Authorization: Basic c2VjcmV0',
    'Proxy-Connection: keep-alive',
    'Connection: close, X-Hop, Content-Length, Host',
    'X-Hop: 1',
    'TE: trailers',
    'Upgrade: websocket',
    'Expect: 100-continue',
    'X-Kept: 1',
    'Content-Length: 0',
  ]
  const { headers } = await raw(
    socketPath,
    `POST http://a.test:${port}/ HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`,
  )
  assert.deepEqual(seen.toSorted(), ['connection', 'content-length', 'host', 'x-kept'])
  assert.equal(headers['x-kept'] ?? '', '1')
  assert.deepEqual([headers['x-hop'], headers['proxy-authenticate']], [undefined, undefined])
})

test('where a request ends is said anew: no other one can hide in its body', async (t) => {
  let taken = ''
  const port = await tcpServer(t, (socket) => {
    socket.on('data', (chunk: Buffer) => (taken += chunk.toString('latin1')))
    socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  const { socketPath } = await scene(t, { privateHosts: `a.test:${port}` })
  const hidden = 'GET /hidden HTTP/1.1\r\nhost: a.test\r\n\r\n'
  const ask = (method: string, ...lines: readonly string[]) =>
    raw(
      socketPath,
      `${method} http://a.test:${port}/ HTTP/1.1\r\nhost: a.test\r\n${lines.join('\r\n')}\r\n\r\n`,
      hidden,
    )
  const both = ['content-length: 5', 'transfer-encoding: chunked']
  const refused = [
    both,
    both.toReversed(),
    ['content-length: 5', 'content-length: 6'],
    ['transfer-encoding: gzip, chunked'],
  ]
  const bad = [
    ['transfer-encoding : chunked'],
    ['content-length: +5'],
    ['a: b\rc: d'],
    [' folded: x', 'a: b'],
    ['a\0: b'],
  ]
  for (const lines of [...refused, ...bad]) assert.equal((await ask('POST', ...lines)).status, 400, lines.join())
  assert.equal(taken, '', 'the host was asked')
  const { status } = await ask('GET', `content-length: ${hidden.length}`, 'connection: close, content-length')
  assert.equal(status, 200)
  assert.match(taken, new RegExp(`\r\ncontent-length: ${hidden.length}\r\n`, 'i'))
})

test('an answer that breaks off breaks off, and one that is none is 502', async (t) => {
  const broken = await tcpServer(t, (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'))
  const strange = await tcpServer(t, (socket) => socket.end('SSH-2.0-OpenSSH\r\n'))
  const upgrading = await tcpServer(t, (socket) =>
    socket.end('HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  )
  const wordless = await tcpServer(t, (socket) => socket.end('HTTP/1.1 101 Go\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'))
  const names = [broken, strange, upgrading, wordless].map((port) => `a.test:${port}`)
  const { socketPath, passed, untilPassed } = await scene(t, { privateHosts: names.join(',') })
  const [half, ...others] = await Promise.all(
    names.map((name) => raw(socketPath, `GET http://${name}/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)),
  )
  assert.equal(`${half?.headers['content-length']} ${half?.text}`, '100 half')
  assert.deepEqual(
    others.map(({ status }) => status),
    [502, 502, 502],
  )
  await untilPassed(4)
  assert.ok(passed.every(({ outcome }) => outcome === 'broken'))
})

test('a connection can ask again and again, of one host and another', async (t) => {
  const port = await httpServer(t, ({ headers: { host } }, response) => void response.end(host))
  const { socketPath } = await scene(t, { privateHosts: `a.test:${port},b.test:${port}` })
  const ask = (name: string, last: string) => `GET http://${name}:${port}/ HTTP/1.1\r\nhost: x\r\n${last}\r\n`
  const { text } = await raw(socketPath, ask('a.test', ''), ask('b.test', ''), ask('c.test', 'connection: close\r\n'))
  assert.match(text, /^a\.test:[^]* 200 [^]*b\.test:[^]* 403 [^]*"c\.test"/)
})
