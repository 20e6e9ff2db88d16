import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { createScriptedModel } from '../src/index.ts'
import type { ScriptedModel } from '../src/index.ts'
import { post, readStream, say, toolRound, user } from './calls.ts'

let model: ScriptedModel
let url: string

beforeEach(async () => {
  model = createScriptedModel({ models: ['one', 'two'], maxRecorded: 3 })
  url = await model.listen()
})
afterEach(() => model.close())

const timeout = 20_000

test('lists its models', async () => {
  const listed = (await (await fetch(`${url}/models`)).json()) as { data: { id: string }[] }
  assert.deepEqual(
    listed.data.map((entry) => entry.id),
    ['one', 'two'],
  )
})

test('streams reasoning, text, tool calls and usage', async () => {
  const messages = [user('think: let me see\nsay: I do it\nusage: 7 8\nrun: ls\n+ read: a.txt')]
  const answer = await readStream(await post(url, { messages, stream: true, stream_options: { include_usage: true } }))
  assert.equal(answer.reasoning, 'let me see')
  assert.equal(answer.content, 'I do it')
  assert.equal(answer.deltaCount, 3)
  assert.deepEqual(answer.calls, [
    { name: 'bash', args: '{"command":"ls"}' },
    { name: 'read', args: '{"filePath":"a.txt"}' },
  ])
  assert.equal(answer.finishReason, 'tool_calls')
  assert.deepEqual([answer.usage?.prompt_tokens, answer.usage?.completion_tokens], [7, 8])
  assert.equal(answer.done, true)
})

test('answers without a stream with the same parts in one body', async () => {
  const response = await post(url, { messages: [user('think: hm\nsay: a\nsay: b\nrun: ls')] })
  const answer = (await response.json()) as { choices: unknown[]; usage: { total_tokens: number } }
  const [choice] = answer.choices as [{ message: Record<string, unknown>; finish_reason: string }]
  assert.equal(choice.message['content'], 'a\nb')
  assert.equal(choice.message['reasoning_content'], 'hm')
  assert.equal((choice.message['tool_calls'] as unknown[]).length, 1)
  assert.equal(choice.finish_reason, 'tool_calls')
  assert.equal(answer.usage.total_tokens, 120)
})

test('says done after a script that ends with a tool', async () => {
  const answer = await readStream(await post(url, { messages: [user('run: ls'), ...toolRound('a')], stream: true }))
  assert.deepEqual([answer.content, answer.finishReason], ['done', 'stop'])
  assert.equal(answer.usage, undefined)
})

test('ends with the finish_reason it is told, or without one', async () => {
  const told = await readStream(await post(url, { messages: [user('say: cut\nfinish: length')], stream: true }))
  assert.deepEqual([told.finishReason, told.done], ['length', true])
  const without = await readStream(await post(url, { messages: [user('say: cut\nnofinish')], stream: true }))
  assert.deepEqual([without.finishReason, without.done], [undefined, true])
})

test('sends as many deltas and bytes as it is told', async () => {
  const slow = await readStream(await post(url, { messages: [user('slow: 4 x 1')], stream: true }))
  assert.deepEqual([slow.content, slow.deltaCount], ['tick-1 tick-2 tick-3 tick-4', 4])
  const long = await readStream(await post(url, { messages: [user('long: 1000001')], stream: true }))
  assert.equal(long.content.length, 1_000_001)
})

test('echoes what it received', async () => {
  const messages = [{ role: 'system', content: 'Be brief.' }, user('echo: system model temperature max_tokens tools')]
  const tools = [{ type: 'function', function: { name: 'bash', parameters: {} } }]
  assert.deepEqual(JSON.parse(await say(url, messages, { temperature: 0.5, max_tokens: 9, tools })), {
    system: 'Be brief.',
    model: 'scripted',
    temperature: 0.5,
    max_tokens: 9,
    tools: ['bash'],
  })
})

test('fails the first calls of a turn, and the same prompt later anew', async () => {
  const messages = [user('error: 429 retry-after=2 times=2 slow down\nsay: ok')]
  const statuses: [number, string | null][] = []
  for (let call = 0; call < 4; call += 1) {
    const response = await post(url, { messages }, { session: 'ses_1' })
    await response.arrayBuffer()
    statuses.push([response.status, response.headers.get('retry-after')])
  }
  assert.deepEqual(statuses, [
    [429, '2'],
    [429, '2'],
    [200, null],
    [429, '2'],
  ])
})

test('counts the calls of each session for itself', async () => {
  const messages = [user('error: 500\nsay: ok')]
  const failed = await Promise.all(['ses_1', 'ses_2'].map((session) => post(url, { messages }, { session })))
  assert.deepEqual(
    failed.map((response) => response.status),
    [500, 500],
  )
  const passed = await post(url, { messages }, { session: 'ses_1' })
  assert.equal(passed.status, 200)
})

test('refuses the first call of an overflow as too long', async () => {
  const response = await post(url, { messages: [user('overflow\nsay: ok')] })
  const { error } = (await response.json()) as { error: { message: string; code: string } }
  assert.equal(response.status, 400)
  assert.equal(error.code, 'context_length_exceeded')
  assert.match(error.message, /maximum context length/)
  assert.equal(await say(url, [user('overflow\nsay: ok')]), 'ok')
})

test('drops the connection in the middle of its text, once', { timeout }, async () => {
  const body = { messages: [user('say: half\ndrop\nsay: whole')], stream: true }
  const reader = (await post(url, body)).body?.getReader()
  const seen: string[] = []
  const readAll = async (): Promise<void> => {
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      seen.push(new TextDecoder().decode(read.value))
    }
  }
  await assert.rejects(readAll())
  assert.match(seen.join(''), /half/)
  assert.equal((await readStream(await post(url, body))).content, 'half\nwhole')
})

test('holds a stream at a gate until it is released', { timeout }, async ({ signal }) => {
  const response = await post(url, { messages: [user('say: before\ngate: door\nsay: after')], stream: true })
  await model.waitForGate('door', signal)
  assert.equal(model.open(), 1)
  model.release('door')
  assert.equal((await readStream(response)).content, 'before\nafter')
  await model.waitForRequest((request) => request.state === 'answered', signal)
  assert.equal(model.open(), 0)
  assert.equal(await say(url, [user('gate: door\nsay: open for good')]), 'open for good')
})

test('releases a gate over HTTP', { timeout }, async ({ signal }) => {
  const answer = say(url, [user('gate: far door\nsay: after')])
  await model.waitForGate('far door', signal)
  const released = await fetch(`${url}/gates/far%20door/release`, { method: 'POST' })
  assert.equal(released.status, 204)
  assert.equal(await answer, 'after')
})

for (const script of ['gate: never', 'hang', 'hangbefore', 'slow: 5 x 3600000', 'gate: never\nerror: 500']) {
  test(`notices that the client leaves during "${script.replace('\n', ' ')}"`, { timeout }, async ({ signal }) => {
    const client = new AbortController()
    const answer = post(url, { messages: [user(script)], stream: true }, { signal: client.signal })
    const settled = answer.then((response) => response.text()).catch((error: unknown) => error)
    await model.waitForRequest((request) => request.state === 'open', signal)
    client.abort()
    await model.waitForRequest((request) => request.state === 'aborted', signal)
    assert.equal(model.open(), 0)
    assert.equal(((await settled) as Error).name, 'AbortError')
  })
}

test('remembers the last requests and no more', async () => {
  for (const text of ['1', '2', '3', '4']) await say(url, [user(`say: ${text}`)], { temperature: Number(text) })
  assert.deepEqual(
    model.requests.map(({ prompt, temperature, state }) => [prompt, temperature, state]),
    [
      ['say: 2', 2, 'answered'],
      ['say: 3', 3, 'answered'],
      ['say: 4', 4, 'answered'],
    ],
  )
})

test('answers a body it cannot read with 400', async () => {
  const response = await post(url, { messages: 'none' as unknown as [] })
  assert.equal(response.status, 400)
  assert.match(await response.text(), /messages/)
  assert.equal(model.requests.length, 0)
})

test('close ends open answers and waiters, and may be called again', { timeout }, async ({ signal }) => {
  const answer = post(url, { messages: [user('hang')], stream: true }).then((response) => response.text())
  const waiting = model.waitForGate('never', signal)
  await model.waitForRequest((request) => request.state === 'open', signal)
  const ends = [assert.rejects(answer), assert.rejects(waiting, /the scripted model is closed/)]
  await model.close()
  await Promise.all(ends)
  await model.close()
  assert.equal(model.open(), 0)
})

test('a waiter gives up with its signal', async () => {
  const reason = new Error('waited enough')
  await assert.rejects(
    model.waitForRequest(() => true, AbortSignal.abort(reason)),
    reason,
  )
})
