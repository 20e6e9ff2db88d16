import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPrice, costOf } from '../src/price.ts'
import { createUsageTap } from '../src/usage-tap.ts'
import type { Dialect } from '../src/dialect.ts'
import { startProvider } from './provider.ts'
import { startScene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const SSE = { 'content-type': 'text/event-stream; charset=utf-8' }
const JSON_TYPE = { 'content-type': 'application/json' }
const none = { input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0 }

const sse = (...messages: unknown[]): string =>
  messages.map((message) => `data: ${JSON.stringify(message)}\n\n`).join('')

function read(dialect: Dialect, headers: Record<string, string>, chunks: readonly (string | Buffer)[], status = 200) {
  const tap = createUsageTap(dialect)
  tap.begin(status, headers)
  for (const chunk of chunks) tap.chunk(Buffer.from(chunk))
  tap.end()
  return tap.usage()
}

const chatUsage = {
  prompt_tokens: 100,
  completion_tokens: 20,
  prompt_tokens_details: { cached_tokens: 30 },
  completion_tokens_details: { reasoning_tokens: 5 },
}
const responsesUsage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 30 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 5 },
}
const counted = { input: 70, output: 15, reasoning: 5, cacheRead: 30, cacheWrite: 0 }

const cases: [name: string, Dialect, Record<string, string>, string, object][] = [
  [
    'chat, streamed',
    'chat',
    SSE,
    `: comment\n\n${sse({ choices: [{ delta: { content: 'the "usage" of it' } }], usage: null }, { choices: [], usage: chatUsage })}data: [DONE]\n\n`,
    counted,
  ],
  ['chat, in one piece', 'chat', JSON_TYPE, JSON.stringify({ choices: [], usage: chatUsage }, null, 2), counted],
  [
    'chat with a cost of its own',
    'chat',
    SSE,
    sse({ usage: { prompt_tokens: 1, completion_tokens: 2, cost: 0.25 } }),
    { ...none, input: 1, output: 2, costUsd: 0.25 },
  ],
  [
    'responses, streamed',
    'responses',
    SSE,
    `event: response.created\n${sse({ response: { usage: null } })}event: response.completed\n${sse({ type: 'response.completed', response: { usage: responsesUsage } })}`,
    counted,
  ],
  ['responses, in one piece', 'responses', JSON_TYPE, JSON.stringify({ usage: responsesUsage }), counted],
  [
    'messages, streamed',
    'messages',
    SSE,
    `event: message_start\n${sse({
      type: 'message_start',
      message: {
        usage: { input_tokens: 70, cache_read_input_tokens: 30, cache_creation_input_tokens: 7, output_tokens: 1 },
      },
    })}event: ping\n${sse({ type: 'ping' })}event: message_delta\n${sse({ type: 'message_delta', delta: {}, usage: { output_tokens: 20 } })}`,
    { input: 70, output: 20, reasoning: 0, cacheRead: 30, cacheWrite: 7 },
  ],
  [
    'messages, in one piece',
    'messages',
    JSON_TYPE,
    JSON.stringify({ usage: { input_tokens: 3, output_tokens: 4 } }),
    { ...none, input: 3, output: 4 },
  ],
  [
    'google, streamed',
    'google',
    SSE,
    sse(
      { usageMetadata: { promptTokenCount: 100 } },
      {
        usageMetadata: {
          promptTokenCount: 100,
          candidatesTokenCount: 20,
          thoughtsTokenCount: 5,
          cachedContentTokenCount: 30,
        },
      },
    ),
    { input: 70, output: 20, reasoning: 5, cacheRead: 30, cacheWrite: 0 },
  ],
  [
    'google, as a list',
    'google',
    JSON_TYPE,
    JSON.stringify([{}, { usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4 } }]),
    { ...none, input: 3, output: 4 },
  ],
]

for (const [name, dialect, headers, text, expected] of cases) {
  test(`usage is read: ${name}, however the answer is cut`, () => {
    assert.deepEqual(read(dialect, headers, [text]), expected)
    assert.deepEqual(read(dialect, headers, text.split('')), expected)
    const half = Math.floor(text.length / 2)
    assert.deepEqual(read(dialect, headers, [text.slice(0, half), text.slice(half)]), expected)
    assert.deepEqual(read(dialect, headers, [text.trimEnd()]), expected)
  })
}

test('what is no usage is none', () => {
  for (const text of [
    '',
    'nonsense "usage"',
    'data: {"usage": {"prompt_tokens": "many"}}\n\n',
    'data: {"usage"',
    '[]',
  ]) {
    assert.equal(read('chat', SSE, [text]), undefined)
    assert.equal(read('chat', JSON_TYPE, [text]), undefined)
  }
  assert.equal(read('chat', JSON_TYPE, [JSON.stringify({ usage: chatUsage })], 500), undefined)
})

test('a message that is too long is passed over, and the next one is read', () => {
  const long = `data: {"x":"${'y'.repeat(2 * 1024 ** 2)}`
  const pieces = Array.from({ length: 32 }, (_, index) => long.slice(index * 65_537, (index + 1) * 65_537))
  assert.deepEqual(read('chat', SSE, [...pieces, '"}\n\n', sse({ usage: chatUsage })]), counted)
})

test('what a call costs is by kind, with another price for large ones, and undefined without a price', () => {
  const price = readPrice({ input: 1, output: 10, cache_read: 0.5, context_over_200k: { input: 2, output: 20 } })
  assert.ok(price)
  const million = {
    ...none,
    input: 100_000,
    output: 1_000_000,
    reasoning: 1_000_000,
    cacheRead: 100_000,
    cacheWrite: 0,
  }
  assert.equal(costOf(million, price), 20.15)
  assert.equal(costOf({ ...none, input: 1_000_000 }, price), 2)
  assert.equal(costOf(million, undefined), undefined)
  assert.equal(costOf({ ...none, costUsd: 3 }, undefined), 3)
  assert.equal(readPrice({ input: 1 }), undefined)
  assert.equal(readPrice(undefined), undefined)
})

test('a run’s usage has a cost while every price is known, and is stored by model', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.writeHead(200, SSE).end(sse({ usage: chatUsage })))
  const prices = new Map([['acme/priced', { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 }]])
  const scene = await startScene(t, provider.address, { prices })
  const meter = await scene.begin()
  const call = async (model: string) =>
    await (await scene.call('/chat/completions', { body: JSON.stringify({ model }) })).text()
  await call('priced')
  const tokens = { input: 70, output: 15, reasoning: 5, cache_read: 30, cache_write: 0 }
  assert.deepEqual(meter.usage(), { tokens, cost_usd: 0.00011, model_calls: 1, model: 'acme/priced' })
  await call('unknown')
  assert.equal(meter.usage()?.cost_usd, null)
  await meter.end()
  assert.deepEqual(
    scene.answered().map(({ model, calls, costUsd, unpriced, uncounted }) => ({
      model,
      calls,
      costUsd,
      unpriced,
      uncounted,
    })),
    [
      { model: 'acme/priced', calls: 1, costUsd: 0.00011, unpriced: 0, uncounted: 0 },
      { model: 'acme/unknown', calls: 1, costUsd: 0, unpriced: 1, uncounted: 0 },
    ],
  )
  const again = await scene.begin({ resumed: true })
  assert.equal(again.usage()?.model_calls, 2, 'a run that is taken up again goes on from what is stored')
})

test('a call that failed is not counted as answered', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) =>
    response.writeHead(500).end(JSON.stringify({ usage: chatUsage })),
  )
  const scene = await startScene(t, provider.address)
  const meter = await scene.begin()
  assert.equal((await scene.call('/chat/completions')).status, 500)
  await meter.end()
  assert.equal(meter.usage(), undefined)
})
