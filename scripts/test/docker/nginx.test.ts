import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type RequestListener, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './compose.ts'

const example = readFileSync(new URL('../../../docker/nginx.conf', import.meta.url), 'utf8')
const absent = spawnSync('nginx', ['-v']).error === undefined ? false : 'there is no nginx program'
const OPTIONS = { timeout: 60_000, skip: absent }

test('nginx as in the example hands each event on while the stream is open', OPTIONS, async (t) => {
  const left = Promise.withResolvers<void>()
  const stream = Promise.withResolvers<ServerResponse>()
  const url = await startNginx(t, (incoming, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    incoming.socket.once('close', () => left.resolve())
    stream.resolve(response)
  })
  const controller = new AbortController()
  const answer = await fetch(`${url}/sessions/x/stream`, { signal: controller.signal })
  const reader = answer.body?.getReader()
  for (const id of [1, 2, 3]) {
    const event = `id: ${id}\nevent: status\ndata: {}\n\n`
    const sent = await stream.promise
    sent.write(event)
    const received = await reader?.read()
    assert.equal(new TextDecoder().decode(received?.value), event)
  }
  controller.abort()
  // A client that leaves is gone for the gateway, too.
  await left.promise
})

test('nginx as in the example hands an upload on while it is being sent', OPTIONS, async (t) => {
  const arrived = Promise.withResolvers<string>()
  const url = await startNginx(t, (incoming, response) => {
    incoming.once('data', (chunk: Buffer) => arrived.resolve(chunk.toString()))
    incoming.once('end', () => response.end('whole'))
  })
  const sending = request(`${url}/sessions/x/archive`, { method: 'PUT', headers: { 'content-length': '10' } })
  const answered = once(sending, 'response')
  sending.write('first')
  assert.equal(await arrived.promise, 'first')
  sending.end('later')
  const [response] = await answered
  assert.equal(response.statusCode, 200)
  response.resume()
})

test('nginx as in the example does not ask twice when an answer breaks off', OPTIONS, async (t) => {
  let asked = 0
  const url = await startNginx(t, (incoming) => {
    asked += 1
    incoming.socket.destroy()
  })
  assert.equal((await fetch(`${url}/sessions`)).status, 502)
  assert.equal(asked, 1)
})

/** The example before a gateway that answers like this. */
async function startNginx(t: TestContext, gateway: RequestListener): Promise<string> {
  const server = createServer(gateway).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const directory = mkdtempSync(join(tmpdir(), 'nginx-test-'))
  const port = await freePort()
  const site = example
    .replace('set $gateway gateway:8080;', 'set $gateway two;')
    .concat(`upstream two { server 127.0.0.1:${address.port}; server 127.0.0.1:${address.port}; }`)
    .replace('listen 8443 ssl', `listen 127.0.0.1:${port}`)
    .replaceAll(/^ *ssl_.*$/gm, '')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  )
  writeFileSync(
    join(directory, 'nginx.conf'),
    `daemon off; pid ${directory}/pid; error_log stderr; events {} http { access_log off; ${temporary.join(' ')}\n${site}\n}`,
  )
  const nginx = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], {
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let said = ''
  nginx.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const ended = once(nginx, 'close')
  t.after(async () => {
    nginx.kill('SIGTERM')
    await ended
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true, force: true })
  })
  while (!existsSync(join(directory, 'pid'))) {
    assert.equal(nginx.exitCode, null, said)
    await sleep(20)
  }
  return `http://127.0.0.1:${port}`
}
