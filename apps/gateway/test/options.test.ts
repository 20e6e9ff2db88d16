import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGateway, type Gateway } from './gateway.ts'

const POLICY = '{"bash":{"*":"allow","git push*":"deny"},"webfetch":"ask"}'

async function rowOf({ store }: Gateway, answer: { json(): Record<string, unknown> }) {
  const row = await store.getRun(String(answer.json()['run_id']))
  assert.ok(row)
  return row
}

const asked = {
  timeout: '5m',
  idle_timeout: 90,
  ask_timeout: '2m',
  max_model_calls: 7,
  wrap_up: 'Finish up.',
  interactive: true,
  permissions: { bash: { '*': 'ask', 'npm test*': 'allow' }, edit: 'deny' },
}

for (const path of ['/run', '/sessions', '/sessions/{id}/messages']) {
  test(`the limits and rules of a request to ${path} are those of its run`, async (t) => {
    const gateway = await startGateway(t)
    const made = await gateway.call('POST', '/sessions', {})
    const url = path.replace('{id}', String(made.json()['session_id']))
    const answer = await gateway.call('POST', url, { prompt: 'say: x', ...asked })
    assert.ok(answer.status < 300, answer.text)
    const { limits, input } = await rowOf(gateway, answer)
    assert.deepEqual(limits, {
      wallMs: 300_000,
      idleMs: 90_000,
      askMs: 120_000,
      modelCalls: 7,
      wrapUp: 'Finish up.',
    })
    assert.ok(input.kind === 'prompt')
    assert.equal(input.interactive, true)
    assert.deepEqual(input.permissions, asked.permissions)
  })
}

test('what a request does not say is as the gateway has it', async (t) => {
  const env = { IDLE_TIMEOUT: '2m', ASK_TIMEOUT: '40s', MAX_MODEL_CALLS: '9', MAX_EXECUTION_TIME: '10m' }
  const gateway = await startGateway(t, { env })
  const { limits, input } = await rowOf(gateway, await gateway.call('POST', '/run', 'say: x'))
  assert.deepEqual(limits, { wallMs: 600_000, idleMs: 120_000, askMs: 40_000, modelCalls: 9 })
  assert.ok(input.kind === 'prompt')
  assert.equal(input.permissions, undefined)
  assert.notEqual(input.interactive, true)
})

const refused: [string, object, string][] = [
  ['an idle timeout of nothing', { idle_timeout: 0 }, 'idle_timeout'],
  ['an idle timeout of nothing, in words', { idle_timeout: '0s' }, 'idle_timeout'],
  ['a negative idle timeout', { idle_timeout: -5 }, 'idle_timeout'],
  ['a negative idle timeout, in words', { idle_timeout: '-5s' }, 'idle_timeout'],
  ['an idle timeout longer than the time limit', { timeout: '1m', idle_timeout: '2m' }, 'idle_timeout'],
  ['an idle timeout longer than the default time limit', { idle_timeout: '10m' }, 'idle_timeout'],
  ['an ask timeout nobody can keep', { ask_timeout: '5s' }, 'ask_timeout'],
  ['an ask timeout of days', { timeout: '1h', ask_timeout: '2h' }, 'ask_timeout'],
  ['an ask timeout longer than the time limit', { timeout: '40s', ask_timeout: '1m' }, 'ask_timeout'],
  ['an ask timeout that is no duration', { ask_timeout: 'soon' }, 'ask_timeout'],
  ['no model calls', { max_model_calls: 0 }, 'max_model_calls'],
  ['a negative number of model calls', { max_model_calls: -1 }, 'max_model_calls'],
  ['half a model call', { max_model_calls: 1.5 }, 'max_model_calls'],
  ['more model calls than the gateway allows', { max_model_calls: 21 }, 'max_model_calls'],
  ['a huge number of model calls', { max_model_calls: 1e15 }, 'max_model_calls'],
  ['a timeout over the maximum', { timeout: '2h' }, 'timeout'],
  ['a blank wrap-up', { wrap_up: ' ' }, 'wrap_up'],
  ['a long wrap-up', { wrap_up: 'x'.repeat(2001) }, 'wrap_up'],
  ['interactive in words', { interactive: 'yes' }, 'interactive'],
  ['an action nobody knows', { permissions: { bash: 'perhaps' } }, 'permissions.bash'],
  ['rules that are a list', { permissions: ['bash'] }, 'permissions'],
  ['another way to be left', { on_disconnect: 'wait' }, 'on_disconnect'],
]
test('what a run cannot have is refused by the name of its field, before anything starts', async (t) => {
  const gateway = await startGateway(t, { env: { MAX_MODEL_CALLS: '20' } })
  for (const [what, fields, field] of refused) {
    const answer = await gateway.call('POST', '/run', { prompt: 'say: x', ...fields })
    assert.equal(answer.status, 400, `${what}: ${answer.text}`)
    assert.equal(answer.json()['code'], 'INVALID_REQUEST', what)
    const problems = [answer.json()['details']].flat().map((detail) => Object(detail))
    assert.ok(
      problems.some((problem) => problem.field === field),
      `${what}: ${answer.text}`,
    )
    for (const { reason } of problems) assert.ok(reason.length > 5, `${what}: ${reason}`)
  }
  assert.deepEqual(gateway.executor.inputs(), [])
})

test('the bounds themselves are taken', async (t) => {
  const gateway = await startGateway(t, { env: { MAX_MODEL_CALLS: '20' } })
  for (const fields of [
    { ask_timeout: '30s', timeout: '30s' },
    { ask_timeout: '1h', timeout: '1h' },
    { idle_timeout: '1m', timeout: '1m' },
    { max_model_calls: 20 },
    { ask_timeout: '1m', interactive: false },
  ]) {
    const answer = await gateway.call('POST', '/run', { prompt: 'say: x', ...fields })
    assert.equal(answer.status, 200, answer.text)
  }
})

const wider: [object, string][] = [
  [{ permissions: { bash: { 'git push origin': 'allow' } } }, 'permissions.bash.git push origin'],
  [{ permissions: { webfetch: 'allow' } }, 'permissions.webfetch'],
  [{ permissions: { external_directory: 'ask' }, interactive: true }, 'permissions.external_directory'],
  [{ permissions: { question: 'allow' } }, 'permissions.question'],
]
test('rules that are wider than PERMISSIONS are refused by the name of the rule', async (t) => {
  const gateway = await startGateway(t, { env: { PERMISSIONS: POLICY } })
  const made = await gateway.call('POST', '/sessions', {})
  for (const path of ['/run', '/sessions', `/sessions/${String(made.json()['session_id'])}/messages`]) {
    for (const [fields, field] of wider) {
      const answer = await gateway.call('POST', path, { prompt: 'say: x', ...fields })
      assert.equal(answer.status, 422, answer.text)
      assert.equal(answer.json()['code'], 'POLICY_TOO_WIDE')
      assert.equal(Object(answer.json()['details']).field, field)
    }
  }
  const misspelt = await gateway.call('POST', '/run', { prompt: 'say: x', permissions: { bahs: 'deny' } })
  assert.equal(misspelt.status, 400, misspelt.text)
  assert.equal(Object(misspelt.json()['details']).field, 'permissions.bahs')
  assert.deepEqual(gateway.executor.inputs(), [])
  const narrower = { permissions: { webfetch: 'deny', bash: 'ask' }, interactive: true }
  assert.equal((await gateway.call('POST', '/run', { prompt: 'say: x', ...narrower })).status, 200)
})

test('an option the executor does not list is refused, unless it is off', async (t) => {
  const gateway = await startGateway(t, { executor: { capabilities: { options: ['model'] } } })
  for (const [field, value] of Object.entries({ interactive: true, permissions: 'deny', wrap_up: 'now' })) {
    const answer = await gateway.call('POST', '/run', { prompt: 'say: x', [field]: value })
    assert.equal(answer.status, 422, answer.text)
    assert.equal(answer.json()['code'], 'UNSUPPORTED_OPTION')
    assert.equal(Object(answer.json()['details']).field, field)
  }
  assert.equal((await gateway.call('POST', '/run', { prompt: 'say: x', interactive: false })).status, 200)
})

test('a session without a prompt takes nothing of a run', async (t) => {
  const gateway = await startGateway(t)
  for (const field of ['interactive', 'permissions', 'wrap_up', 'idle_timeout', 'ask_timeout', 'max_model_calls']) {
    const answer = await gateway.call('POST', '/sessions', { [field]: Object(asked)[field] })
    assert.equal(answer.status, 400, answer.text)
    assert.deepEqual(answer.json()['details'], { field, reason: 'needs a prompt' })
  }
  assert.equal((await gateway.call('POST', '/sessions', { interactive: false })).status, 201)
})

test('P5: a run that goes silent, calls the model too often or takes too long ends with a code that says so', async (t) => {
  const gateway = await startGateway(t)
  const cases: [object, number, string][] = [
    [{ prompt: 'say: begun\nhang', idle_timeout: '200ms' }, 408, 'IDLE_TIMEOUT'],
    [{ prompt: 'loop: run: true', max_model_calls: 3 }, 500, 'MODEL_LOOP'],
    [{ prompt: 'say: begun\nhang', timeout: '200ms' }, 408, 'RUN_TIMEOUT'],
    [{ prompt: 'error: 429 retry-after=3600 slow down', timeout: '1m' }, 500, 'PROVIDER_RATE_LIMITED'],
  ]
  for (const [body, status, code] of cases) {
    const answer = await gateway.call('POST', '/run', body)
    assert.equal(answer.json()['code'], code, answer.text)
    assert.equal(answer.status, status)
  }
})

test('an agent is told to wrap up in time', async (t) => {
  const gateway = await startGateway(t)
  await gateway.call('POST', '/run', { prompt: 'hang', timeout: '300ms', wrap_up: 'Come to an end.' })
  assert.deepEqual(
    gateway.executor.steered().map(({ text }) => text),
    ['Come to an end.'],
  )
})
