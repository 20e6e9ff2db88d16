import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { createGatewayApi } from '../stack/gateway-api.ts'

test('A4: a gateway that lags is asked again and counted; any other refusal is one', async (t) => {
  const answers = [
    [503, { code: 'OVERLOADED' }],
    [503, { code: 'OVERLOADED' }],
    [201, { session_id: 'made' }],
    [503, { code: 'EXECUTOR_UNAVAILABLE' }],
  ] as const
  let asked = 0
  const server = createServer((_, response) => {
    const [status, body] = answers[asked] ?? [500, {}]
    asked += 1
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const baseUrl = new URL(`http://127.0.0.1:${address.port}`)
  const api = createGatewayApi({ baseUrl, apiKey: undefined, timeoutMs: 30_000, signal: t.signal })
  assert.equal(await api.makeSession(), 'made')
  assert.equal(api.refused(), 2)
  await assert.rejects(api.makeSession(), /answered with 503: .*EXECUTOR_UNAVAILABLE/)
  assert.equal(asked, 4)
})

test('a gateway that is not there is named, with what the network says of it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  await new Promise((resolve) => server.close(resolve))
  const baseUrl = new URL(`http://127.0.0.1:${address.port}`)
  const api = createGatewayApi({ baseUrl, apiKey: undefined, timeoutMs: 30_000, signal: t.signal })
  await assert.rejects(api.get('/ready'), {
    message: `GET ${baseUrl.href}ready got no answer: connect ECONNREFUSED 127.0.0.1:${address.port}`,
  })
})
