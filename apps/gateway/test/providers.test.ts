import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Gateway } from './gateway.ts'
import { anthropic, as, ENDPOINT, keys, LIMIT, OTHER, start } from './provider-scene.ts'

const byNumber = (a: number, b: number): number => a - b

test('a configuration has versions, of which one can be gone back to, and its key is never told', LIMIT, async (t) => {
  const gateway = await start(t)
  const told: string[] = []
  const call: Gateway['call'] = async (...request) => {
    const answer = await gateway.call(...request)
    told.push(answer.text, JSON.stringify([...answer.headers]))
    return answer
  }
  const made = await call('PUT', '/providers/team-a', anthropic)
  assert.equal(made.status, 201, made.text)
  const { created_at: createdAt, updated_at: _, ...first } = made.json()
  assert.deepEqual(first, {
    name: 'team-a',
    version: 1,
    kind: 'anthropic',
    api_endpoint: null,
    model: 'claude-x',
    has_api_key: true,
    default: false,
  })
  const kept = await call('PUT', '/providers/team-a', { kind: 'anthropic', model: 'claude-y' })
  assert.equal(kept.status, 200, kept.text)
  assert.equal(kept.json().has_api_key, true, 'a key that is not sent stays')
  await call('PUT', '/providers/team-a', { ...anthropic, api_key: OTHER })
  const none = await call('PUT', '/providers/team-a', { kind: 'anthropic', api_endpoint: ENDPOINT, api_key: null })
  assert.equal(none.json().has_api_key, false)
  const back = await call('POST', '/providers/team-a/rollback', { version: 2 })
  assert.equal(back.status, 200, back.text)
  assert.deepEqual([back.json().version, back.json().model, back.json().created_at], [5, 'claude-y', createdAt])
  const { versions } = (await call('GET', '/providers/team-a/versions')).json()
  assert.deepEqual(
    Array.from(Object(versions), (version) => Object(version)).map(({ version, has_api_key, restored_from }) => [
      version,
      has_api_key,
      restored_from,
    ]),
    [
      [5, true, 2],
      [4, false, null],
      [3, true, null],
      [2, true, null],
      [1, true, null],
    ],
  )
  assert.deepEqual(
    (await call('POST', '/providers/team-a/rollback', { version: 9 })).json().code,
    'PROVIDER_VERSION_NOT_FOUND',
  )
  await gateway.call('POST', '/run', { prompt: 'say: x', model_config: { provider: 'team-a' } })
  const run = await gateway.call('POST', '/run', { prompt: 'say: x', model_config: { provider: 'team-a' } })
  told.push(run.text)
  assert.equal(run.status, 200, run.text)
  assert.equal((await call('DELETE', '/providers/team-a')).status, 204)
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['GET', '/versions'],
    ['POST', '/check'],
  ] as const) {
    assert.equal((await call(method, `/providers/team-a${path}`)).json().code, 'PROVIDER_NOT_FOUND')
  }
  assert.equal((await call('POST', '/providers/team-a/rollback', { version: 1 })).json().code, 'PROVIDER_NOT_FOUND')
  assert.ok(!told.join('\n').includes('canary'), 'in an answer')
  assert.ok(!gateway.logged().includes('canary'), 'in the log')
})

test('two writers that expect the same version do not write over each other', LIMIT, async (t) => {
  const { call } = await start(t)
  const path = '/providers/team-a'
  const put = async (headers: Record<string, string>) => (await call('PUT', path, anthropic, headers)).status
  assert.equal(await put({ 'if-match': '*' }), 412)
  assert.equal(await put({ 'if-none-match': '*' }), 201)
  assert.equal(await put({ 'if-none-match': '*' }), 412)
  const etag = (await call('GET', path)).headers.get('etag') ?? ''
  assert.equal((await call('GET', path, undefined, { 'if-none-match': etag })).status, 304)
  assert.deepEqual(
    (await Promise.all([put({ 'if-match': etag }), put({ 'if-match': etag })])).toSorted(byNumber),
    [200, 412],
  )
  assert.equal((await call('POST', `${path}/rollback`, { version: 1 }, { 'if-match': etag })).status, 412)
  assert.equal((await call('DELETE', path, undefined, { 'if-match': etag })).status, 412)
  assert.equal((await call('DELETE', path, undefined, { 'if-match': '*' })).status, 204)
  const many = await Promise.all(Array.from({ length: 3 }, () => put({})))
  assert.deepEqual(many.toSorted(byNumber), [200, 200, 201])
  assert.notEqual((await call('GET', path)).headers.get('etag'), etag, 'of another life')
})

test('a configuration is its tenant’s, and only a key with the scope may write it', LIMIT, async (t) => {
  const { call } = await start(t, { app: { keys } })
  assert.equal((await call('PUT', '/providers/team-a', anthropic, as('rotator'))).status, 201)
  for (const [method, path, body] of [
    ['PUT', '', anthropic],
    ['DELETE', '', undefined],
    ['POST', '/check', undefined],
    ['POST', '/rollback', { version: 1 }],
  ] as const) {
    const answer = await call(method, `/providers/team-a${path}`, body, as('usual'))
    assert.equal(`${answer.status} ${String(answer.json().code)}`, '403 FORBIDDEN', `${method} ${path}`)
    if (method === 'PUT') continue
    const foreign = await call(method, `/providers/team-a${path}`, body, as('stranger'))
    assert.equal(foreign.json().code, 'PROVIDER_NOT_FOUND', `${method} ${path}`)
  }
  assert.equal((await call('GET', '/providers/team-a', undefined, as('usual'))).status, 200)
  assert.equal((await call('GET', '/providers/team-a', undefined, as('rotator'))).status, 403)
  for (const path of ['', '/versions']) {
    assert.equal((await call('GET', `/providers/team-a${path}`, undefined, as('stranger'))).status, 404)
  }
  assert.deepEqual((await call('GET', '/providers', undefined, as('stranger'))).json().providers, [])
  const config = { prompt: 'say: x', model_config: { provider: 'team-a' } }
  assert.equal((await call('POST', '/run', config, as('usual'))).status, 200)
  assert.equal((await call('POST', '/run', config, as('stranger'))).status, 422)
})

test('configurations are listed by name in pages, and there are no more than may be', LIMIT, async (t) => {
  const { call } = await start(t, { env: { MAX_PROVIDERS: '3', MAX_PROVIDER_VERSIONS: '2' } })
  for (const name of ['c', 'a', 'b']) await call('PUT', `/providers/${name}`, anthropic)
  const names = (answer: Record<string, unknown>) => Array.from(Object(answer.providers), (row) => Object(row).name)
  const first = (await call('GET', '/providers?limit=2')).json()
  assert.deepEqual(names(first), ['a', 'b'])
  const second = (await call('GET', `/providers?limit=2&cursor=${String(first.next_cursor)}`)).json()
  assert.deepEqual([names(second), second.next_cursor], [['c'], null])
  const more = await call('PUT', '/providers/d', anthropic)
  assert.equal(`${more.status} ${String(more.json().code)}`, '409 TOO_MANY_PROVIDERS')
  for (let write = 0; write < 3; write += 1) assert.equal((await call('PUT', '/providers/a', anthropic)).status, 200)
  const { versions } = (await call('GET', '/providers/a/versions')).json()
  assert.equal(Array.from(Object(versions)).length, 2)
  for (const query of ['cursor=x', 'limit=0', 'limit=201', 'other=1'])
    assert.equal((await call('GET', `/providers?${query}`)).status, 400, query)
})
