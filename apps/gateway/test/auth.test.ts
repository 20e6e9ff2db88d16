import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { digestOf } from '../src/config/api-keys.ts'
import { isForeignPage } from '../src/http/foreign-page.ts'
import { startGateway } from './gateway.ts'

const KEY = 'correct-horse-battery'

test('with a key configured', async (t) => {
  const { app, call } = await startGateway(t, { env: { API_KEY: KEY } })

  await t.test('a key is taken from a request that is injected, too, and not from one with two', async () => {
    const inject = async (key: string | string[]): Promise<number> =>
      (await app.inject({ url: '/sessions', headers: { 'x-api-key': key } })).statusCode
    assert.deepEqual([await inject(KEY), await inject([KEY, KEY])], [200, 401])
  })

  const accepted: [string, Record<string, string>][] = [
    ['Authorization: Bearer', { authorization: `Bearer ${KEY}` }],
    ['Authorization: bearer, in lower case', { authorization: `bearer ${KEY}` }],
    ['Authorization: Api-Key', { authorization: `Api-Key ${KEY}` }],
    ['X-API-Key', { 'x-api-key': KEY }],
    ['X-API-Key beside the credentials of a proxy', { authorization: 'Basic dTpw', 'x-api-key': KEY }],
  ]
  for (const [form, headers] of accepted) {
    await t.test(`D2: the key is accepted as ${form}`, async () => {
      assert.equal((await call('GET', '/sessions', undefined, headers)).status, 200)
    })
  }

  const refused: [string, Record<string, string>][] = [
    ['no key', {}],
    ['another key', { authorization: 'Bearer wrong' }],
    ['a key that begins like it', { authorization: `Bearer ${KEY.slice(0, -1)}` }],
    ['a key that goes on after it', { 'x-api-key': `${KEY}x` }],
    ['another scheme', { authorization: `Basic ${KEY}` }],
    ['a scheme without a key', { authorization: 'Bearer' }],
    ['a key without a scheme', { authorization: KEY }],
    ['an empty key', { 'x-api-key': '' }],
  ]
  await t.test('D2: the answer to everything else is the same', async () => {
    const bodies = new Set<string>()
    for (const [what, headers] of refused) {
      for (const [method, path] of [
        ['POST', '/run'],
        ['GET', '/sessions'],
        ['GET', '/nothing'],
        ['DELETE', '/run'],
      ] as const) {
        const answer = await call(method, path, method === 'POST' ? { prompt: 'x' } : undefined, headers)
        assert.equal(answer.status, 401, `${what}: ${answer.text}`)
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
        const { request_id: _id, timestamp: _at, instance: _path, ...body } = answer.json()
        bodies.add(JSON.stringify(body))
      }
    }
    assert.equal(bodies.size, 1)
  })

  await t.test('B1: probes and the documentation need none', async () => {
    const documentation = ['/openapi.json', '/docs', '/docs/', '/docs/json', '/docs/static/swagger-ui.css']
    for (const path of ['/health', '/healthz', '/ready', ...documentation]) {
      assert.equal((await call('GET', path)).status, 200, path)
    }
    assert.deepEqual((await call('GET', '/docs/json')).json(), (await call('GET', '/openapi.json')).json())
  })
})

test('with a file of keys', async (t) => {
  const keys = [
    { id: 'a', tenant: 'one', digest: digestOf('key-a'), scopes: ['read', 'write'], limits: {} },
    { id: 'b', tenant: 'two', digest: digestOf('key-b'), scopes: ['read', 'write'], limits: { requests: 3 } },
    { id: 'reader', tenant: 'one', digest: digestOf('key-r'), scopes: ['read'], limits: {} },
  ] as const
  const { call } = await startGateway(t, { app: { keys } })
  const as = (key: string) => ({ 'x-api-key': key })
  const made = await call('POST', '/sessions', { prompt: 'say: mine' }, as('key-a'))
  const id = String(made.json().session_id)

  await t.test("another tenant's session is as good as none, on every route", async () => {
    const routes: [string, string, unknown?][] = [
      ['GET', ''],
      ['GET', '/status'],
    ]
    for (const [method, route, body] of routes) {
      const answer = await call(method, `/sessions/${id}${route}`, body, as('key-b'))
      assert.equal(answer.json().code, 'SESSION_NOT_FOUND', `${method} ${route}`)
    }
  })

  await t.test('a key has its own limit of requests', async () => {
    let last = await call('GET', '/sessions', undefined, as('key-b'))
    for (let i = 0; i < 3 && last.status === 200; i += 1) last = await call('GET', '/sessions', undefined, as('key-b'))
    assert.equal(last.status, 429)
    assert.equal(last.json().code, 'RATE_LIMITED')
    assert.ok(Number(last.headers.get('retry-after')) > 0)
    assert.equal((await call('GET', '/sessions', undefined, as('key-a'))).status, 200)
    assert.equal((await call('GET', '/health')).status, 200)
  })

  await t.test('a key that may only read starts nothing', async () => {
    assert.equal((await call('GET', `/sessions/${id}`, undefined, as('key-r'))).status, 200)
    for (const path of ['/run', '/sessions', `/sessions/${id}/messages`]) {
      const answer = await call('POST', path, { prompt: 'x' }, as('key-r'))
      assert.equal(answer.json().code, 'FORBIDDEN', path)
    }
  })
})

test("a tenant's session is out of reach of others by every route", async (t) => {
  const keys = ['a', 'b'].map((id) => ({
    id,
    tenant: id,
    digest: digestOf(`key-${id}`),
    scopes: ['read', 'write'] as const,
    limits: {},
  }))
  const { call, executor } = await startGateway(t, { app: { keys } })
  const made = await call('POST', '/sessions', { prompt: 'gate: held\nsay: mine' }, { 'x-api-key': 'key-a' })
  const id = String(made.json().session_id)
  await executor.waitForGate('held', t.signal)
  const routes: [string, string, unknown?][] = [
    ['GET', ''],
    ['DELETE', ''],
    ['GET', '/status'],
    ['GET', '/stream'],
    ['HEAD', '/stream'],
    ['GET', '/events'],
    ['GET', '/messages'],
    ['POST', '/messages', { prompt: 'x' }],
    ['POST', '/shell', { command: 'true' }],
    ['POST', '/cancel'],
    ['POST', '/stop'],
  ]
  for (const [method, route, body] of routes) {
    const answer = await call(method, `/sessions/${id}${route}`, body, { 'x-api-key': 'key-b' })
    assert.equal(answer.status, 404, `${method} ${route}`)
  }
  assert.deepEqual((await call('GET', '/sessions', undefined, { 'x-api-key': 'key-b' })).json().sessions, [])
  const mine = await call('GET', `/sessions/${id}/status`, undefined, { 'x-api-key': 'key-a' })
  assert.equal(mine.json().status, 'running')
  executor.release('held')
})

describe('a gateway without keys', () => {
  it('D2: needs none on loopback', async (t) => {
    const { call } = await startGateway(t)
    assert.equal((await call('POST', '/run', 'say: hi', { 'content-type': 'text/plain' })).status, 200)
  })

  it('does not serve a web page of another origin', async (t) => {
    const { call, executor } = await startGateway(t)
    const answer = await call('POST', '/run', 'say: hi', {
      'content-type': 'text/plain',
      origin: 'https://evil.example',
    })
    assert.equal(answer.status, 403)
    assert.deepEqual(executor.inputs(), [])
  })

  const cases: [string, Record<string, string>, boolean][] = [
    ['no browser', { host: '127.0.0.1:8080' }, false],
    ['its own page', { host: 'localhost:8080', origin: 'http://localhost:8080' }, false],
    ['its own page by IPv6', { host: '[::1]:8080', origin: 'http://[::1]:8080' }, false],
    ['a page on another port', { host: 'localhost:8080', origin: 'http://localhost:3000' }, true],
    ['a file', { host: 'localhost:8080', origin: 'null' }, true],
    ['a link on another page', { host: 'localhost:8080', 'sec-fetch-site': 'cross-site' }, true],
    ['a name that was rebound to loopback', { host: 'evil.example:8080', origin: 'http://evil.example:8080' }, true],
    ['a rebound name without an origin', { host: 'evil.example:8080' }, true],
  ]
  for (const [who, headers, foreign] of cases) {
    it(`${foreign ? 'refuses' : 'serves'} ${who}`, () => {
      assert.equal(isForeignPage(headers, { loopbackOnly: true }), foreign)
    })
  }

  it('takes any host name where it is open to other machines on purpose', () => {
    assert.equal(isForeignPage({ host: 'gateway.internal' }, { loopbackOnly: false }), false)
    assert.equal(
      isForeignPage({ host: 'gateway.internal', origin: 'https://evil.example' }, { loopbackOnly: false }),
      true,
    )
  })
})
