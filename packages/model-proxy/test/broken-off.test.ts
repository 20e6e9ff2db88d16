import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { estimateCount } from '../src/estimate.ts'
import { createUsageTap } from '../src/usage-tap.ts'
import { startProvider } from './provider.ts'
import { eventually, startScene, type Scene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const SSE = { 'content-type': 'text/event-stream' }
const prices = new Map([['acme/m', { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 }]])
const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(400) }] })
const inputTokens = Math.ceil(body.length / 4)
const delta = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`

/** Breaks a call off after its first chunk; false when it was refused. */
async function breakOff(scene: Scene, path: string): Promise<boolean> {
  const leaving = new AbortController()
  const answer = await scene.call(path, { body, signal: leaving.signal })
  if (answer.status === 403) return false
  await answer.body?.getReader().read()
  leaving.abort()
  return true
}

async function breakOffUntilRefused(t: TestContext, scene: Scene, path: string): Promise<number> {
  for (let calls = 0; calls < 20; calls += 1) {
    if (!(await breakOff(scene, path))) return calls
    await eventually(t, () => scene.answered().length > calls)
  }
  return 20
}

test('calls that are broken off before they are counted use up every budget', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.writeHead(200, SSE).write(delta('a').repeat(10)))
  for (const [budget, calls] of [
    [{ tokens: 3 * inputTokens }, 3],
    [{ costUsd: (2 * inputTokens) / 1_000_000 }, 2],
    [{ calls: 4 }, 4],
  ] as const) {
    const scene = await startScene(t, provider.address, { prices })
    const meter = await scene.begin({ budget })
    assert.equal(await breakOffUntilRefused(t, scene, '/chat/completions'), calls)
    await meter.end()
    const [first] = scene.answered()
    assert.deepEqual([first?.calls, first?.estimated, first?.uncounted, first?.unpriced], [1, 1, 0, 0])
    assert.equal(first?.tokens.input, inputTokens)
    assert.equal(meter.usage()?.estimated_calls, calls)
    const again = await scene.begin({ budget, resumed: true })
    assert.equal(await breakOffUntilRefused(t, scene, '/chat/completions'), 0, 'a restart does not help')
    await again.end()
  }
})

test('what the provider has told at the start of its answer stands', LIMIT, async (t) => {
  const message = { usage: { input_tokens: 70, cache_read_input_tokens: 30, output_tokens: 1 } }
  const start = `data: ${JSON.stringify({ type: 'message_start', message })}\n\n`
  const provider = await startProvider(t, (response) =>
    response.writeHead(200, SSE).write(start + delta('a').repeat(5)),
  )
  const scene = await startScene(t, provider.address, { prices })
  const meter = await scene.begin()
  await breakOff(scene, '/messages')
  await eventually(t, () => scene.answered().length > 0)
  await meter.end()
  const { input, output, cache_read: cacheRead } = scene.answered()[0]?.tokens ?? {}
  assert.deepEqual({ input, cacheRead }, { input: 70, cacheRead: 30 })
  assert.ok(Number(output) >= 6, `${output} tokens of output`)
})

test('the calls under way at the end of a run are counted before it is over', LIMIT, async (t) => {
  const provider = await startProvider(t, () => {})
  const scene = await startScene(t, provider.address)
  const meter = await scene.begin()
  const broken = assert.rejects(scene.call('/chat/completions', { body }))
  await eventually(t, () => provider.calls.length > 0)
  await meter.end()
  await broken
  assert.deepEqual(
    scene.answered().map(({ tokens, estimated }) => [tokens.input, tokens.output, estimated]),
    [[inputTokens, 0, 1]],
  )
})

test('a provider that refuses, or cannot be reached, costs nothing', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.writeHead(500).write('{'))
  const scene = await startScene(t, provider.address)
  const meter = await scene.begin()
  await breakOff(scene, '/chat/completions')
  await eventually(t, () => provider.left() > 0)
  await meter.end()
  assert.deepEqual(scene.answered(), [])
  const nowhere = await startScene(t, 'http://127.0.0.1:1')
  const other = await nowhere.begin()
  assert.equal((await nowhere.call('/chat/completions')).status, 502)
  await other.end()
  assert.deepEqual(nowhere.answered(), [])
})

test('an answer has a token for each message, and more for what is longer, but what was told last stands', () => {
  const read = (...chunks: string[]) => {
    const tap = createUsageTap('chat')
    tap.begin(200, SSE)
    for (const chunk of chunks) tap.chunk(Buffer.from(chunk))
    tap.end()
    return tap
  }
  const even = read(delta('a').repeat(10), ': comment\n\nevent: x\n')
  assert.equal(estimateCount(undefined, { requestBytes: 40, answer: even.size() }).output, 10)
  const [half, rest] = [delta('a'.repeat(401)).slice(0, 100), delta('a'.repeat(401)).slice(100)]
  const long = read(delta('a').repeat(9), half, rest)
  assert.deepEqual(estimateCount(undefined, { requestBytes: 41, answer: long.size() }), {
    input: 11,
    output: 110,
    reasoning: 0,
    cacheRead: 0,
    cacheWrite: 0,
  })
  const told = read(delta('a'), `data: ${JSON.stringify({ usage: { prompt_tokens: 1, completion_tokens: 2 } })}\n\n`)
  assert.deepEqual([even.isFinal(), told.isFinal()], [false, true])
})
