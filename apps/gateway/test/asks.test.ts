import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createFakeEngine } from '@opencode-gateway/executor-testing'
import { singleKey } from '../src/config/api-keys.ts'
import { ofType, readEvents } from './event-source.ts'
import { eventually, startGateway, temporaryDirectory, type Gateway } from './gateway.ts'

const QUESTION = 'question: Colour | Which colour? | red | blue\nsay: thanks'
const PERMISSION = { prompt: 'run: echo hi\nsay: done', permissions: { bash: 'ask' } }

interface Waiting {
  id: string
  askId: string
  path: string
  ask: Record<string, unknown>
}

async function begin(t: TestContext, gateway: Gateway, body: object): Promise<Waiting> {
  const made = await gateway.call('POST', '/sessions', { interactive: true, ...body })
  assert.equal(made.status, 201, made.text)
  const id = String(made.json()['session_id'])
  return waitingAsk(t, gateway, id)
}

async function waitingAsk(t: TestContext, gateway: Gateway, id: string): Promise<Waiting> {
  let ask: Record<string, unknown> | undefined
  await eventually(t, async () => {
    ask = (await asksOf(gateway, id)).at(0)
    return ask !== undefined
  })
  assert.ok(ask)
  const askId = String(ask['ask_id'])
  return { id, askId, path: `/sessions/${id}/asks/${askId}`, ask }
}

async function asksOf({ call }: Gateway, id: string): Promise<Record<string, unknown>[]> {
  const { asks } = (await call('GET', `/sessions/${id}/asks`)).json()
  assert.ok(Array.isArray(asks))
  return asks
}

async function outcomeOf(t: TestContext, { call }: Gateway, id: string): Promise<unknown> {
  const view = async () => (await call('GET', `/sessions/${id}/status`)).json()
  await eventually(t, async () => !/^(pending|running|waiting_input)$/.test(String((await view())['status'])))
  return (await view())['status']
}

test('P7: a question is shown everywhere it is looked for, and goes on with its answer', async (t) => {
  const gateway = await startGateway(t, { env: { ASK_TIMEOUT: '60s' } })
  const { id, askId, path, ask } = await begin(t, gateway, { prompt: QUESTION })
  assert.equal(ask['kind'], 'question')
  assert.equal(typeof ask['run_id'], 'string')
  assert.ok(Date.parse(String(ask['expires_at'])) > Date.now())
  assert.deepEqual((await gateway.call('GET', `/sessions/${id}`)).json()['asks'], [ask])
  const status = (await gateway.call('GET', `/sessions/${id}/status`)).json()
  assert.equal(status['status'], 'waiting_input')
  assert.equal(status['pending_asks'], 1)
  assert.equal(Date.parse(String(status['waiting_since'])), Date.parse(String(ask['expires_at'])) - 60_000)
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  assert.deepEqual((await reader.next())?.data['asks'], [ask])

  const answer = await gateway.call('POST', path, { answers: [['blue']] })
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(answer.json(), { session_id: id, ask_id: askId, answer: { answers: [['blue']] } })
  const frames = await reader.rest()
  const [resolved] = ofType(frames, 'ask_resolved')
  assert.equal(resolved?.data['by'], 'client')
  assert.deepEqual(resolved.data['answer'], { answers: [['blue']] })
  assert.equal(frames.at(-1)?.data['outcome'], 'completed')
  assert.deepEqual(await asksOf(gateway, id), [])
  const after = (await gateway.call('GET', `/sessions/${id}/status`)).json()
  assert.equal('pending_asks' in after || 'waiting_since' in after, false)
})

for (const [what, answer, output] of [
  ['granted', { reply: 'once' }, 'hi'],
  ['refused with a word', { reply: 'reject', message: 'use printf' }, 'use printf'],
] as const) {
  test(`a permission request that is ${what} lets the agent go on`, async (t) => {
    const gateway = await startGateway(t)
    const { id, path, ask } = await begin(t, gateway, PERMISSION)
    assert.equal(ask['permission'], 'bash')
    assert.deepEqual(ask['patterns'], ['echo hi'])
    assert.equal((await gateway.call('POST', path, answer)).status, 200)
    assert.equal(await outcomeOf(t, gateway, id), 'completed')
    const [result] = ofType(await replay(t, gateway, id), 'tool_result')
    assert.match(JSON.stringify(result?.data), new RegExp(output))
  })
}

test('a permission request that is refused without a word ends the run', async (t) => {
  const gateway = await startGateway(t)
  const { id, path } = await begin(t, gateway, PERMISSION)
  assert.equal((await gateway.call('POST', path, { reply: 'reject' })).status, 200)
  assert.equal(await outcomeOf(t, gateway, id), 'failed')
})

test('a question can be dismissed', async (t) => {
  const gateway = await startGateway(t)
  const { id, path } = await begin(t, gateway, { prompt: QUESTION })
  assert.equal((await gateway.call('POST', path, { reject: true })).status, 200)
  assert.notEqual(await outcomeOf(t, gateway, id), 'waiting_input')
  assert.deepEqual(ofType(await replay(t, gateway, id), 'ask_resolved')[0]?.data['answer'], { reject: true })
})

async function replay(t: TestContext, { url }: Gateway, id: string) {
  await using reader = await readEvents(`${url}/sessions/${id}/stream`, t.signal)
  return await reader.rest()
}

const malformed: [string, unknown, string][] = [
  ['nothing', {}, 'body'],
  ['no body', undefined, 'body'],
  ['two answers', { reply: 'once', answers: [['red']] }, 'reply'],
  ['an answer and a rejection', { answers: [['red']], reject: true }, 'reject'],
  ['a rejection that is none', { reject: false }, 'reject'],
  ['a reply nobody knows', { reply: 'maybe' }, 'reply'],
  ['a message with a grant', { reply: 'once', message: 'fine' }, 'message'],
  ['a message alone', { message: 'fine' }, 'body'],
  ['answers that are no lists', { answers: ['red'] }, 'answers.0'],
  ['a field nobody knows', { reply: 'once', for: 'ever' }, 'for'],
]
test('what is no answer is refused, and the ask waits on', async (t) => {
  const gateway = await startGateway(t)
  const { id, path } = await begin(t, gateway, { prompt: QUESTION })
  for (const [what, body, field] of malformed) {
    const answer = await gateway.call('POST', path, body)
    assert.equal(answer.status, 400, what)
    assert.equal(answer.json()['code'], 'INVALID_REQUEST', what)
    const fields = [answer.json()['details']].flat().map((detail) => Object(detail).field)
    assert.ok(fields.includes(field), `${what}: ${answer.text}`)
  }
  const wrongKind = await gateway.call('POST', path, { reply: 'once' })
  assert.equal(wrongKind.status, 400, wrongKind.text)
  assert.equal((await asksOf(gateway, id)).length, 1)
  assert.equal((await gateway.call('POST', path, { answers: [['red']] })).status, 200)
})

test('an ask takes one answer, whoever is first', async (t) => {
  const gateway = await startGateway(t)
  const { path } = await begin(t, gateway, { prompt: `${QUESTION}\ngate: held` })
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => gateway.call('POST', path, { answers: [['red']] })),
  )
  const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
  assert.deepEqual(statuses, [200, ...Array.from({ length: 9 }, () => 409)])
  assert.equal(answers.find(({ status }) => status === 409)?.json()['code'], 'ASK_RESOLVED')
  gateway.executor.release('held')
})

test('there is no ask under another id, in another session, or for another tenant', async (t) => {
  const keys = ['one', 'two'].map((id) => ({ ...singleKey(`key-of-${id}`), id, tenant: id }))
  const gateway = await startGateway(t, { app: { keys } })
  const mine = { 'x-api-key': 'key-of-one' }
  const made = await gateway.call('POST', '/sessions', { interactive: true, prompt: QUESTION }, mine)
  const id = String(made.json()['session_id'])
  await eventually(t, async () => (await gateway.sessions.asks('one', id)).length === 1)
  const [ask] = await gateway.sessions.asks('one', id)
  const body = { answers: [['red']] }
  const cases: [string, Record<string, string>, string][] = [
    [`/sessions/${id}/asks/none`, mine, 'ASK_NOT_FOUND'],
    [`/sessions/6e0c1f64-0000-4000-8000-000000000000/asks/${ask?.askId}`, mine, 'SESSION_NOT_FOUND'],
    [`/sessions/${id}/asks/${ask?.askId}`, { 'x-api-key': 'key-of-two' }, 'SESSION_NOT_FOUND'],
  ]
  for (const [path, headers, code] of cases) {
    const answer = await gateway.call('POST', path, body, headers)
    assert.equal(answer.status, 404, answer.text)
    assert.equal(answer.json()['code'], code)
  }
  assert.equal(
    (await gateway.call('GET', `/sessions/${id}/asks`, undefined, { 'x-api-key': 'key-of-two' })).status,
    404,
  )
  assert.equal((await gateway.call('POST', `/sessions/${id}/asks/${ask?.askId}`, body, mine)).status, 200)
})

test('a cancelled run waits for no answer any more', async (t) => {
  const gateway = await startGateway(t)
  const { id, path } = await begin(t, gateway, { prompt: QUESTION })
  assert.equal((await gateway.call('POST', `/sessions/${id}/cancel`)).status, 200)
  assert.deepEqual(await asksOf(gateway, id), [])
  assert.deepEqual((await gateway.call('GET', `/sessions/${id}`)).json()['asks'], [])
  const late = await gateway.call('POST', path, { answers: [['red']] })
  assert.equal(late.status, 409, late.text)
  assert.equal(late.json()['code'], 'ASK_RESOLVED')
})

test('an ask can be answered after a restart of the gateway', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const engine = createFakeEngine()
  const first = await startGateway(t, { dataDir, executor: { engine } })
  const { id, path } = await begin(t, first, { prompt: QUESTION })
  await first.close()
  const second = await startGateway(t, { dataDir, executor: { engine } })
  await eventually(t, async () => (await second.call('POST', path, { answers: [['red']] })).status === 200)
  assert.equal(await outcomeOf(t, second, id), 'completed')
  assert.equal(ofType(await replay(t, second, id), 'ask').length, 1)
})

test('/run may ask too: it answers when somebody else has answered', async (t) => {
  const gateway = await startGateway(t)
  const running = gateway.call('POST', '/run', { prompt: QUESTION, interactive: true })
  let id = ''
  await eventually(t, async () => {
    const { sessions } = (await gateway.call('GET', '/sessions?status=waiting_input')).json()
    id = String(Object(sessions)[0]?.session_id ?? '')
    return id !== ''
  })
  const { path } = await waitingAsk(t, gateway, id)
  assert.equal((await gateway.call('POST', path, { answers: [['red']] })).status, 200)
  const answer = await running
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.json()['output'], 'thanks')
})

test('without interactive nothing asks: the run goes on without', async (t) => {
  const gateway = await startGateway(t)
  const answer = await gateway.call('POST', '/run', { ...PERMISSION, interactive: false })
  assert.equal(answer.status, 200, answer.text)
  const id = String(answer.json()['session_id'])
  assert.equal(ofType(await replay(t, gateway, id), 'ask').length, 0)
})

test('answered asks are counted by who answered', async (t) => {
  const gateway = await startGateway(t)
  const { path } = await begin(t, gateway, { prompt: QUESTION })
  await gateway.call('POST', path, { answers: [['red']] })
  await eventually(t, async () =>
    (await gateway.call('GET', '/metrics')).text.includes('opencode_gateway_asks_resolved_total{by="client"} 1'),
  )
})
