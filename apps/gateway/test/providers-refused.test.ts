import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providerKinds } from '@opencode-gateway/contracts'
import { providerAddresses } from '@opencode-gateway/model-proxy'
import { anthropic, CANARY, ENDPOINT, HOST, LIMIT, start } from './provider-scene.ts'

test('what makes no configuration is refused by the name of its field, and no key is repeated', LIMIT, async (t) => {
  const gateway = await start(t)
  const { call } = gateway
  await call('PUT', '/providers/here', anthropic)
  const cases: [string, unknown, number, string][] = [
    ['a', { ...anthropic, kind: 'nobody' }, 400, 'kind'],
    ['a', { ...anthropic, kind: undefined }, 400, 'kind'],
    ['a', { ...anthropic, other: 'canary' }, 400, 'other'],
    ['a', { ...anthropic, api_key: '' }, 400, 'api_key'],
    ['a', { ...anthropic, api_key: 'canary key' }, 400, 'api_key'],
    ['a', { ...anthropic, api_key: `canary\u0000` }, 400, 'api_key'],
    ['a', { ...anthropic, api_key: 4711 }, 400, 'api_key'],
    ['a', { ...anthropic, api_key: `canary${'x'.repeat(4_096)}` }, 400, 'api_key'],
    ['a', { kind: 'anthropic' }, 400, 'api_key'],
    ['a', { kind: 'openai-compatible', api_key: CANARY }, 400, 'api_endpoint'],
    ['a', { ...anthropic, model: undefined, default: true }, 400, 'model'],
    ['a', { ...anthropic, api_endpoint: 'ftp://models.example/v1' }, 400, 'api_endpoint'],
    ['a', { ...anthropic, api_endpoint: 'http://127.0.0.1:1/v1' }, 422, 'api_endpoint'],
    ['a', { ...anthropic, api_endpoint: 'http://169.254.169.254/latest' }, 422, 'api_endpoint'],
    ['a', { ...anthropic, api_endpoint: `https://user:canary@${HOST}/v1` }, 422, 'api_endpoint'],
    ['a', { ...anthropic, api_endpoint: `${ENDPOINT}?key=canary` }, 422, 'api_endpoint'],
    ['a', { ...anthropic, api_endpoint: 'https://' }, 422, 'api_endpoint'],
    ['here', { kind: 'openai', model: 'm' }, 400, 'api_key'],
    ['here', { kind: 'anthropic', api_endpoint: ENDPOINT }, 400, 'api_key'],
    ['a', 'canary', 400, ''],
    ['.a', anthropic, 400, 'name'],
    ['a%20b', anthropic, 400, 'name'],
    ['x'.repeat(65), anthropic, 400, 'name'],
  ]
  for (const [name, body, status, field] of cases) {
    const headers = { 'content-type': 'application/json' }
    const answer = await call(
      'PUT',
      `/providers/${name}`,
      typeof body === 'string' ? JSON.stringify(body) : body,
      headers,
    )
    const what = `${name} ${JSON.stringify(body).slice(0, 100)}: ${answer.text}`
    assert.equal(answer.status, status, what)
    const fields = [answer.json().details].flat().map((detail) => Object(detail).field)
    if (field !== '') assert.ok(fields.includes(field), what)
    assert.ok(!answer.text.includes('canary'), what)
  }
  const huge = await call('PUT', '/providers/a', { ...anthropic, api_key: `canary${'x'.repeat(70_000)}` })
  assert.equal(`${huge.status} ${String(huge.json().code)}`, '413 PAYLOAD_TOO_LARGE')
  for (const body of [{}, { version: 0 }, { version: 1.5 }, { version: 1, other: 1 }])
    assert.equal((await call('POST', '/providers/here/rollback', body)).status, 400)
  assert.equal(Array.from(Object((await call('GET', '/providers')).json().providers)).length, 1)
  assert.ok(!gateway.logged().includes('canary'))
})

test('without a key to seal with no key is taken, and the remedy is told', LIMIT, async (t) => {
  const { call } = await start(t, { env: { ENCRYPTION_KEY: '' } })
  const refused = await call('PUT', '/providers/team-a', anthropic)
  assert.equal(`${refused.status} ${String(refused.json().code)}`, '422 UNSUPPORTED_OPTION')
  assert.match(refused.text, /ENCRYPTION_KEY/)
  const bare = { kind: 'openai-compatible', api_endpoint: ENDPOINT }
  assert.equal((await call('PUT', '/providers/team-a', bare)).status, 201, 'one without a key needs none')
})

test('where the engine has its own providers there are no configurations', LIMIT, async (t) => {
  const { call } = await start(t, { app: { providers: undefined, models: undefined } })
  for (const [method, path, body] of [
    ['GET', '/providers', undefined],
    ['PUT', '/providers/a', anthropic],
  ] as const) {
    assert.equal((await call(method, path, body)).json().code, 'UNSUPPORTED_OPTION')
  }
})

test('every provider whose address is known is a kind', () => {
  const known = providerKinds.filter((kind) => kind !== 'openai-compatible')
  assert.deepEqual(known, Object.keys(providerAddresses))
})
