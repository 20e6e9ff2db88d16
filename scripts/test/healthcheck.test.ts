import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../healthcheck', import.meta.url))
const connected = 'data: {"type":"server.connected","properties":{}}\n\n'

test('A2: healthy is only who says server.connected on /event', async (t) => {
  const url = await serve(t, (request, response) => {
    assert.equal(request.url, '/event')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(': hello\n\ndata: {"type":"other"}\n\n')
    response.write(connected)
  })
  assert.deepEqual(await check('--baseUrl', url, '--timeout', '10000'), { code: 0, said: '' })
})

test('A2: it asks with the password of the engine, whatever is in it, and leaves no stream open', async (t) => {
  const password = String.raw`it's a "quoted" \one: ä`
  const left = Promise.withResolvers<void>()
  const url = await serve(t, (request, response) => {
    response.once('close', () => left.resolve())
    const expected = `Basic ${Buffer.from(`opencode:${password}`).toString('base64')}`
    response.writeHead(request.headers.authorization === expected ? 200 : 401, { 'content-type': 'text/event-stream' })
    response.write(connected)
  })
  process.env['OPENCODE_SERVER_PASSWORD'] = password
  t.after(() => delete process.env['OPENCODE_SERVER_PASSWORD'])
  assert.deepEqual(await check('--baseUrl', url), { code: 0, said: '' })
  await left.promise
  process.env['OPENCODE_SERVER_PASSWORD'] = 'another'
  assert.match((await check('--baseUrl', url)).said, /\/event answers 401/)
})

test('A2: refused, silent, ended without a word: each is a 1 with one line of why', async (t) => {
  const silent = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"type":"server.heartbeat"}\n\n')
  })
  const ended = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end('data: not JSON\n\n')
  })
  const endless = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const more = (): void => void response.write('\n'.repeat(65_536))
    response.on('drain', more)
    more()
  })
  const cases: readonly (readonly [string, RegExp])[] = [
    ['http://127.0.0.1:9', /Failed to connect/],
    [silent, /no sign of health within 500 ms/],
    [endless, /no sign of health within 500 ms/],
    [ended, /ended without server\.connected/],
  ]
  for (const [url, why] of cases) {
    const { code, said } = await check('--baseUrl', url, '--timeout', '500')
    assert.equal(code, 1)
    assert.match(said, why)
    assert.equal(said.trimEnd().split('\n').length, 1)
  }
})

test("A6: an engine's HTTP 500 or an HTML page is no health", async (t) => {
  const broken = await serve(t, (_, response) => void response.writeHead(500).end())
  const page = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end(connected)
  })
  assert.match((await check('--baseUrl', broken)).said, /answers 500/)
  const { code, said } = await check('--baseUrl', page)
  assert.equal(code, 1)
  assert.match(said, /text\/html, no event stream/)
})

test('B1: a gateway that is not ready is unhealthy, with its reason', async (t) => {
  const url = await serve(t, (request, response) => {
    const ready = request.url === '/ready' && request.headers.authorization === undefined
    response.writeHead(ready ? 503 : 404).end('{"checks":{\n"workspace":{"ok":false}}}')
  })
  const { code, said } = await check('--ready', '--baseUrl', url)
  assert.equal(code, 1)
  assert.match(said, /\/ready answers 503: .*workspace.*\n$/)
})

test('A2: arguments that make no sense are told', async () => {
  for (const args of [[], ['--baseUrl', 'nowhere'], ['--baseUrl', 'http://a', '--timeout', 'soon'], ['--what']]) {
    const { code, said } = await check(...args)
    assert.equal(code, 64)
    assert.match(said, /usage: healthcheck/)
  }
})

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `http://127.0.0.1:${address.port}`
}

async function check(...args: readonly string[]): Promise<{ code: number; said: string }> {
  const child = spawn(script, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  return { code: Number(code), said }
}
