import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { startGatewayProcess } from '../gateway-process.ts'
import { callOf, temporaryDirectory } from '../gateway.ts'

type Spoil = (response: ServerResponse) => void

const faults: Readonly<Record<string, Spoil>> = {
  'HTTP 500': (response) => {
    const body = { name: 'UnknownError', data: { message: 'Unexpected server error.', ref: 'err_1' } }
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  },
  'a page with status 200': (response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>all is well</title>')
  },
}

/** Says that it is an engine, has the few answers a run begins with, and spoils the calls that it is told to. */
async function startEngine(t: TestContext, spoil: Spoil, spoils: (call: string) => boolean): Promise<string> {
  const now = Date.now()
  const session = { id: 'ses_1', directory: '/', title: 'x', time: { created: now, updated: now } }
  const answers: Readonly<Record<string, unknown>> = {
    'GET /global/health': { healthy: true, version: '1.18.33' },
    'POST /session': session,
    'PATCH /session/ses_1': session,
    'DELETE /session/ses_1': true,
    'POST /session/ses_1/abort': true,
    'GET /session/status': {},
    'POST /instance/dispose': true,
  }
  function answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    const call = `${method} ${url.split('?')[0]}`
    if (spoils(call)) return spoil(response)
    if (call === 'GET /global/event') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const connected = { type: 'server.connected', properties: {} }
      return void response.write(`data: ${JSON.stringify({ payload: connected })}\n\n`)
    }
    const isPrompt = call.endsWith('/prompt_async')
    response.writeHead(isPrompt ? 204 : 200, { 'content-type': 'application/json' })
    response.end(isPrompt ? undefined : JSON.stringify(answers[call] ?? []))
  }
  const server = createServer(answer)
  t.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const places: Readonly<Record<string, (call: string) => boolean>> = {
  'a new session': (call) => call === 'POST /session',
  'the stream of events': (call) => call === 'GET /global/event',
  'the prompt': (call) => call.endsWith('/prompt_async'),
  'all calls but health': (call) => call !== 'GET /global/health',
}

// Most of the time is spent waiting for an event stream that never comes.
test('A6: an engine that does not answer as one', { timeout: 120_000, concurrency: true }, async (t) => {
  await Promise.all(
    Object.entries(faults).map(([fault, spoil]) =>
      t.test(`with ${fault} is an error, never a success`, (t) => playFaults(t, spoil)),
    ),
  )
})

async function playFaults(t: TestContext, spoil: Spoil): Promise<void> {
  const spoiled = { by: (_call: string) => false }
  const url = await startEngine(t, spoil, (call) => spoiled.by(call))
  await using gateway = await startGatewayProcess({
    dataDir: await temporaryDirectory(t),
    env: { OPENCODE_SERVER_URL: url, OPENCODE_SERVER_MAX_RETRIES: '0', OPENCODE_SERVER_RETRY_DELAY_MS: '1' },
  })
  await gateway.ready()
  const call = callOf(t, gateway.url)
  for (const [place, spoils] of Object.entries(places)) {
    await t.test(place, async () => {
      spoiled.by = spoils
      const answer = await call('POST', '/run', { prompt: 'say: hello' })
      const { success, output, error, code, session_id: id } = answer.json()
      assert.ok(answer.status >= 500, answer.text)
      assert.deepEqual([success, output], [false, ''])
      assert.notEqual(error, '')
      const { status, error: why } = (await call('GET', `/sessions/${String(id)}/status`)).json()
      // Interrupted where the prompt may have arrived all the same.
      assert.ok(status === 'failed' || status === 'interrupted', String(status))
      assert.equal(Object(why).code, code)
    })
  }
  const readiness = await call('GET', '/ready')
  assert.equal(readiness.status, 503)
  assert.equal(Object(readiness.json().checks).executor.ok, false)
  assert.equal((await call('GET', '/health')).status, 200)
}
