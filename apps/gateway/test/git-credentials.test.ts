import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSealing, parseSealingKey } from '@opencode-gateway/sealing'
import { readEnv } from '../src/config.ts'
import { credentialOpener, sealCredentials } from '../src/orders/git-credentials.ts'
import { configOf, startGateway } from './gateway.ts'

const keyText = (first: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => first + index)).toString('base64')
const ONE = keyText(1)
const TWO = keyText(101)
const sealingWith = (current: string, previous?: string) =>
  createSealing({
    current: parseSealingKey(current) ?? assert.fail(),
    previous: previous === undefined ? undefined : parseSealingKey(previous),
  })

/** What the fake executor says it can. */
const executor = { capabilities: { options: ['repository', 'git_credentials'] as const } }
const repository = 'https://git.example.com/acme/app.git'
const given = { 'Git.Example.com': { token: 'canary-token' } }

for (const path of ['/run', '/sessions']) {
  test(`credentials for ${path} are refused where there is no key to seal them with`, async (t) => {
    const gateway = await startGateway(t, { executor })
    const body = { prompt: 'say: x', repository, git_credentials: given }
    const answer = await gateway.call('POST', path, body)
    assert.equal(answer.status, 422, answer.text)
    assert.equal(answer.json()['code'], 'UNSUPPORTED_OPTION')
    assert.equal(Object(answer.json()['details']).field, 'git_credentials')
    assert.match(answer.text, /ENCRYPTION_KEY/)
    assert.ok(!answer.text.includes('canary') && !gateway.logged().includes('canary'))
  })

  test(`credentials for ${path} are kept sealed for their session`, async (t) => {
    const sealing = sealingWith(ONE)
    const gateway = await startGateway(t, { executor, app: { sealing } })
    const body = { prompt: 'say: x', repository, git_credentials: given }
    const answer = await gateway.call('POST', path, body)
    assert.ok(answer.status < 300, answer.text)
    const id = String(answer.json()['session_id'])
    if (path === '/run') return
    const fill = await gateway.store.getFill(id)
    assert.ok(!JSON.stringify(fill).includes('canary'))
    const sealed = fill?.repository?.sealedCredentials ?? ''
    const opened = credentialOpener(sealing)(sealed, id)
    assert.deepEqual([...opened], [['git.example.com', { username: 'x-access-token', password: 'canary-token' }]])
    assert.throws(() => credentialOpener(sealing)(sealed, 'another'), { code: 'REPOSITORY_AUTH' })
    await gateway.call('DELETE', `/sessions/${id}`)
    assert.equal((await gateway.store.getFill(id))?.repository?.sealedCredentials, undefined)
  })
}

const ok = { token: 'x' }
const cases: [string, unknown, string][] = [
  ['no object', ['canary'], 'git_credentials'],
  ['none', {}, 'git_credentials'],
  ['a host with a scheme', { 'https://canary/': ok }, ''],
  ['a host with a line break', { 'git.example.com\ncanary': ok }, ''],
  ['a host that is none', { '[canary': ok }, ''],
  ['a host twice', { 'a.example': ok, 'A.example': ok }, 'git_credentials.A.example'],
  [
    'too many hosts',
    Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`h${n}.example`, ok])),
    'git_credentials',
  ],
  ['a text', { 'a.example': 'canary' }, 'git_credentials.a.example'],
  ['nothing', { 'a.example': {} }, 'git_credentials.a.example'],
  ['an unknown field', { 'a.example': { token: 'x', tokn: 'canary' } }, 'git_credentials.a.example.tokn'],
  ['a file of the gateway', { 'a.example': { sshKeyFile: '/canary' } }, 'git_credentials.a.example.sshKeyFile'],
  ['a number', { 'a.example': { token: 4711 } }, 'git_credentials.a.example.token'],
  ['an empty token', { 'a.example': { token: '' } }, 'git_credentials.a.example.token'],
  ['a long token', { 'a.example': { token: 'x'.repeat(16_385) } }, 'git_credentials.a.example.token'],
  ['a line break', { 'a.example': { token: 'canary\nhost=evil' } }, 'git_credentials.a.example.token'],
  ['a NUL', { 'a.example': { username: 'u', password: 'canary\0' } }, 'git_credentials.a.example.password'],
  ['both', { 'a.example': { username: 'u', token: 'canary', password: 'canary' } }, 'git_credentials.a.example'],
  ['a password alone', { 'a.example': { password: 'canary' } }, 'git_credentials.a.example.username'],
  ['a name alone', { 'a.example': { username: 'canary' } }, 'git_credentials.a.example.password'],
  ['no key', { 'a.example': { ssh_key: 'canary' } }, 'git_credentials.a.example.ssh_key'],
  ['a public key', { 'a.example': { ssh_key: 'ssh-ed25519 canary' } }, 'git_credentials.a.example.ssh_key'],
]
test('credentials that are wrong are refused by the name of their field and never repeated', async (t) => {
  const gateway = await startGateway(t, { executor, app: { sealing: sealingWith(ONE) } })
  for (const [what, credentials, field] of cases) {
    const body = { prompt: 'say: x', repository, git_credentials: credentials }
    const answer = await gateway.call('POST', '/run', body)
    assert.equal(`${answer.status} ${String(answer.json()['code'])}`, '400 INVALID_REQUEST', `${what}: ${answer.text}`)
    if (field === '') continue
    const problems = [answer.json()['details']].flat().map((detail) => Object(detail).field)
    assert.ok(problems.includes(field), `${what}: ${answer.text}`)
    assert.ok(!answer.text.includes('canary'), `${what}: ${answer.text}`)
  }
  assert.ok(!gateway.logged().includes('canary'))
  assert.deepEqual(gateway.executor.inputs(), [])
})

test('a fork of a session does not have its credentials', async (t) => {
  const gateway = await startGateway(t, { executor, app: { sealing: sealingWith(ONE) } })
  const made = await gateway.call('POST', '/sessions', { repository, git_credentials: given })
  const forked = await gateway.call('POST', `/sessions/${String(made.json()['session_id'])}/fork`)
  assert.equal(forked.status, 201, forked.text)
  const fill = await gateway.store.getFill(String(forked.json()['session_id']))
  assert.deepEqual(fill, { repository: { url: repository } })
})

test('credentials without a repository are refused', async (t) => {
  const gateway = await startGateway(t, { executor, app: { sealing: sealingWith(ONE) } })
  const answer = await gateway.call('POST', '/run', { prompt: 'say: x', git_credentials: given })
  assert.equal(answer.status, 400)
  assert.deepEqual(answer.json()['details'], { field: 'git_credentials', reason: 'needs a repository' })
})

test('the same request with other credentials is the same request', async (t) => {
  const gateway = await startGateway(t, { executor, app: { sealing: sealingWith(ONE) } })
  const ids = new Set<unknown>()
  for (const token of ['one', 'two']) {
    const body = { repository, git_credentials: { 'a.example': { token } } }
    const answer = await gateway.call('POST', '/sessions', body, { 'idempotency-key': 'k' })
    assert.equal(answer.status, 201, answer.text)
    ids.add(answer.json()['session_id'])
  }
  assert.equal(ids.size, 1)
  const other = await gateway.call('POST', '/sessions', { repository }, { 'idempotency-key': 'k' })
  assert.equal(other.status, 422)
})

test('after a change of keys what was sealed before opens while the former key is given', () => {
  const sealed = sealCredentials(given, 's1', configOf({ ENCRYPTION_KEY: ONE }).secrets.sealing)
  const rotated = configOf({ ENCRYPTION_KEY: TWO, ENCRYPTION_KEY_PREVIOUS: ONE }).secrets.sealing
  assert.ok(rotated)
  assert.equal(credentialOpener(rotated)(sealed, 's1').size, 1)
  assert.throws(() => credentialOpener(sealingWith(TWO))(sealed, 's1'), {
    code: 'REPOSITORY_AUTH',
    message: /ENCRYPTION_KEY_PREVIOUS/,
  })
})

test('a key that is none, and a former one alone, stop the gateway without being repeated', () => {
  const surroundings = { cwd: '/', home: '/', exists: () => false, readText: () => '', obstacle: () => undefined }
  for (const [env, name] of [
    [{ ENCRYPTION_KEY: 'canary' }, 'ENCRYPTION_KEY'],
    [{ ENCRYPTION_KEY: 'canary', ENCRYPTION_KEY_PREVIOUS: ONE }, 'ENCRYPTION_KEY'],
    [{ ENCRYPTION_KEY: ONE, ENCRYPTION_KEY_PREVIOUS: 'canary' }, 'ENCRYPTION_KEY_PREVIOUS'],
    [{ ENCRYPTION_KEY_PREVIOUS: ONE }, 'ENCRYPTION_KEY_PREVIOUS'],
  ] as const) {
    const result = readEnv(env, surroundings)
    assert.ok(result.status === 'invalid')
    assert.deepEqual(
      result.problems.map((problem) => problem.name),
      [name],
    )
    assert.ok(!JSON.stringify(result).includes('canary') && !JSON.stringify(result).includes(ONE))
  }
})
