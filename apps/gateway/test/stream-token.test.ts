import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { generateSealingKey } from '@opencode-gateway/sealing'
import { digestOf, type ApiKey } from '../src/config/api-keys.ts'
import { createStreamTokens } from '../src/http/stream-tokens.ts'
import { keepStreamTokenKey } from '../src/start/stream-token-key.ts'
import { idsOf, readEvents } from './event-source.ts'
import { startGateway, temporaryDirectory, type Gateway } from './gateway.ts'

const keyOf = (id: string, change: Partial<ApiKey> = {}): ApiKey => ({
  id,
  tenant: id,
  digest: digestOf(`key-${id}`),
  scopes: ['read', 'write'],
  limits: {},
  ...change,
})
const alice = keyOf('alice')
const reader = keyOf('reader', { tenant: 'alice', scopes: ['read'] })
const bob = keyOf('bob')
const as = ({ id }: ApiKey) => ({ 'x-api-key': `key-${id}` })
const elsewhere = { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' }

async function begin({ call }: Gateway, headers: Record<string, string>): Promise<string> {
  const made = await call('POST', '/sessions', { prompt: 'say: one' }, headers)
  assert.equal(made.status, 201, made.text)
  return String(made.json().session_id)
}

async function tokenFor({ call }: Gateway, id: string, headers: Record<string, string> = {}): Promise<string> {
  const made = await call('POST', `/sessions/${id}/stream-token`, undefined, headers)
  assert.equal(made.status, 201, made.text)
  assert.equal(made.headers.get('cache-control'), 'no-store')
  return String(made.json().token)
}

test('a token opens the stream of its session to who has no key, in a page of any origin', async (t) => {
  const gateway = await startGateway(t, { app: { keys: [alice, reader, bob] } })
  const id = await begin(gateway, as(alice))
  const made = await gateway.call('POST', `/sessions/${id.toUpperCase()}/stream-token`, undefined, as(reader))
  assert.ok(Date.parse(String(made.json().expires_at)) > Date.now())
  await using events = await readEvents(`${gateway.url}${String(made.json().stream_url)}`, t.signal, {
    headers: elsewhere,
  })
  assert.equal(events.headers.get('access-control-allow-origin'), '*')
  const ids = idsOf(await events.rest())
  assert.ok(ids.length > 0)
  const url = `/sessions/${id}/stream?token=${String(made.json().token)}`
  assert.equal((await gateway.call('HEAD', url)).status, 200)
  assert.equal((await gateway.call('GET', url, undefined, { 'last-event-id': String(ids.at(-1)) })).status, 204)
  assert.ok(!gateway.logged().includes(String(made.json().token)), 'it is in no log')
})

test('it opens nothing else, and the answer is that to a wrong key', async (t) => {
  const gateway = await startGateway(t, { app: { keys: [alice, bob] } })
  const [id, other] = [await begin(gateway, as(alice)), await begin(gateway, as(alice))]
  const token = await tokenFor(gateway, id, as(alice))
  const changed = token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
  const refused: [string, string, Record<string, string>?][] = [
    ['GET', `/sessions/${other}/stream?token=${token}`],
    ['GET', `/sessions/${id}/stream?token=${changed.slice(0, -8)}`],
    ['GET', `/sessions/${id}/stream?token=`],
    ['GET', `/sessions/${id}/stream?token=x&token=${token}`],
    ['GET', `/sessions/${id}/stream?token=${token.slice(0, -8)}`, as(alice)],
    ['GET', `/sessions/${id}/events?token=${token}`],
    ['GET', `/sessions/${id}?token=${token}`],
    ['DELETE', `/sessions/${id}?token=${token}`],
    ['POST', `/sessions/${id}/stream-token?token=${token}`],
    ['GET', `/sessions/${id}/stream`, { 'x-api-key': token }],
  ]
  for (const [method, path, headers] of refused) {
    const answer = await gateway.call(method, path, undefined, headers)
    assert.equal(answer.json().code, 'UNAUTHORIZED', `${method} ${path}: ${answer.text}`)
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  }
  const path = `/sessions/${id}/stream-token`
  assert.equal((await gateway.call('POST', path, undefined, as(bob))).json().code, 'SESSION_NOT_FOUND')
  const unknown = await gateway.call('POST', `/sessions/${randomUUID()}/stream-token`, undefined, as(alice))
  assert.equal(unknown.json().code, 'SESSION_NOT_FOUND')
})

test('it outlives the process with the key that made it, and not without', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const start = async (keys: readonly ApiKey[]) =>
    startGateway(t, { dataDir, app: { keys, streamTokenKey: await keepStreamTokenKey(dataDir) } })
  const first = await start([alice, bob])
  const id = await begin(first, as(alice))
  const token = await tokenFor(first, id, as(alice))
  const statusOf = async ({ call }: Gateway) => (await call('HEAD', `/sessions/${id}/stream?token=${token}`)).status
  await first.close()
  for (const [keys, status] of [
    [[bob], 401],
    [[], 401],
    [[keyOf('alice', { scopes: ['write'] })], 403],
    [[alice], 200],
  ] as const) {
    const next = await start(keys)
    assert.equal(await statusOf(next), status, JSON.stringify(keys.map(({ id: keyId }) => keyId)))
    await next.close()
  }
})

test('without keys a token is for pages of other origins, until there is a key', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const { key } = generateSealingKey()
  const open = await startGateway(t, { dataDir, app: { streamTokenKey: key } })
  const id = await begin(open, {})
  const path = `/sessions/${id}/stream`
  const token = await tokenFor(open, id)
  assert.equal((await open.call('GET', path, undefined, elsewhere)).json().code, 'FORBIDDEN')
  await using events = await readEvents(`${open.url}${path}?token=${token}`, t.signal, { headers: elsewhere })
  assert.ok((await events.rest()).length > 0)
  await open.close()
  const closed = await startGateway(t, { dataDir, app: { streamTokenKey: key, keys: [keyOf('default')] } })
  const refused = await closed.call('GET', `${path}?token=${token}`)
  assert.equal(refused.status, 401)
  assert.match(String(refused.json().detail), /stream token/)
})

test('a token runs out', () => {
  let now = 1_000
  const tokens = createStreamTokens({ key: generateSealingKey().key, lifetimeMs: 100, now: () => now })
  const { token, expiresAt } = tokens.issue({ keyId: 'alice' }, 'one')
  assert.equal(expiresAt, 1_100)
  now = 1_099
  assert.deepEqual(tokens.open(token, 'one'), { keyId: 'alice' })
  now = 1_100
  assert.equal(tokens.open(token, 'one'), undefined)
})

test('the key of tokens is kept for this user alone, and replaced when it is none', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const file = join(dataDir, 'stream-token.key')
  const made = await keepStreamTokenKey(dataDir)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await keepStreamTokenKey(dataDir)).id, made.id)
  await writeFile(file, '')
  const next = await keepStreamTokenKey(dataDir)
  assert.notEqual(next.id, made.id)
  assert.equal((await keepStreamTokenKey(dataDir)).id, next.id)
})
