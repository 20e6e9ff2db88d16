import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { startProvider } from './provider.ts'
import { startScene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const CANARY = 'canary-key-of-the-tenant'

test('a provider is called once, in its own dialect, with its key where it belongs', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{"ok":true}'))
  const { proxy } = await startScene(t, provider.address)
  const endpoint = `${provider.address}/v1`
  const bearer = ['authorization', `Bearer ${CANARY}`] as const
  for (const [kind, model, url, [header, value], body] of [
    ['openai-compatible', 'm', '/v1/chat/completions', bearer, { max_tokens: 1 }],
    ['openai', 'm', '/v1/responses', bearer, { max_output_tokens: 16 }],
    ['anthropic', 'm', '/v1/messages', ['x-api-key', CANARY], { max_tokens: 1 }],
    ['google', 'a/b', '/v1/models/a%2Fb:generateContent', ['x-goog-api-key', CANARY], {}],
    ['openrouter', undefined, '/v1/models', bearer, undefined],
    ['anthropic', undefined, '/v1/models', ['x-api-key', CANARY], undefined],
  ] as const) {
    const result = await proxy.check({ kind, endpoint, key: CANARY, model }, t.signal)
    const { fault, status, call } = result
    assert.deepEqual({ fault, status, call }, { fault: undefined, status: 200, call: model ? 'prompt' : 'models' })
    const received = provider.calls.at(-1)
    assert.ok(received)
    assert.equal(received.url, url)
    assert.equal(received.headers[header], value)
    assert.equal(received.headers['x-config'], undefined)
    if (body === undefined) assert.equal(received.body, '')
    else assert.partialDeepStrictEqual(JSON.parse(received.body), body)
  }
  assert.equal(provider.calls.length, 6)
  await proxy.check({ kind: 'acme', endpoint: undefined, key: CANARY, model: undefined }, t.signal)
  assert.equal(provider.calls.at(-1)?.headers['x-config'], 'of the operator', 'as for a run')
  assert.equal(provider.calls.at(-1)?.headers.authorization, `Bearer ${CANARY}`)
})

const answers: [string, string, (response: ServerResponse) => unknown][] = [
  ['a key that is refused', 'auth', (response) => response.writeHead(401).end(`{"error":"no ${CANARY}"}`)],
  ['one that Google refuses', 'auth', (response) => response.writeHead(400).end('{"reason":"API_KEY_INVALID"}')],
  ['an unknown model', 'not_found', (response) => response.writeHead(404).end('{}')],
  ['too many calls', 'rate_limited', (response) => response.writeHead(429).end('{}')],
  ['a bad call', 'rejected', (response) => response.writeHead(422).end('{}')],
  ['a broken provider', 'provider_error', (response) => response.writeHead(503).end()],
  ['a page', 'bad_answer', (response) => response.end('<html></html>')],
  ['a redirect', 'bad_answer', (response) => response.writeHead(302, { location: '/other' }).end('{"a":1}')],
  ['an answer without an end', 'bad_answer', (response) => response.end(`{"a":"${'x'.repeat(2_000)}"}`)],
  ['half an answer', 'bad_answer', (response) => response.write('{"a":', () => response.destroy())],
  ['no HTTP', 'bad_answer', (response) => response.socket?.end('nonsense\r\n\r\n')],
  ['silence', 'timeout', () => {}],
]

test('what is wrong with a provider is told in one word, and nothing it says', LIMIT, async (t) => {
  let answer: (response: ServerResponse) => unknown = () => {}
  const provider = await startProvider(t, (response) => answer(response))
  const limits = { checkTimeoutMs: 300, maxCheckBytes: 1_000 }
  const { proxy } = await startScene(t, provider.address, { limits })
  const checked = { kind: 'openai-compatible', endpoint: provider.address, key: CANARY, model: 'm' }
  for (const [what, fault, how] of answers) {
    answer = how
    const before = provider.calls.length
    const result = await proxy.check(checked, t.signal)
    assert.equal(result.fault, fault, what)
    assert.equal(provider.calls.length, before + 1, what)
    assert.ok(!JSON.stringify(result).includes(CANARY), what)
  }
  const nobody = await proxy.check({ ...checked, endpoint: 'http://127.0.0.1:1/v1' }, t.signal)
  assert.equal(nobody.fault, 'unreachable')
  const left = new AbortController()
  const waiting = proxy.check(checked, left.signal)
  left.abort(new Error('the client has left'))
  await assert.rejects(waiting, /the client has left/)
})
