import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelOptions } from '@opencode-gateway/contracts'
import type { Dialect } from '../src/dialect.ts'
import { rewriteBody } from '../src/rewrite-body.ts'
import { startProvider } from './provider.ts'
import { KEY, SESSION, startScene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const rewrite = (dialect: Dialect, body: object, change: Partial<ModelOptions>): unknown =>
  JSON.parse(rewriteBody(dialect, Buffer.from(JSON.stringify(body)), change).toString())

test('every option has its own field in each dialect, and what was there besides stays', () => {
  const change = { model: 'new', temperature: 0.5, maxTokens: 7, reasoningEffort: 'low' }
  const stream = { model: 'old', stream: true }
  assert.deepEqual(rewrite('chat', stream, change), {
    model: 'new',
    stream: true,
    temperature: 0.5,
    max_tokens: 7,
    reasoning_effort: 'low',
  })
  assert.deepEqual(rewrite('chat', { max_completion_tokens: 1 }, { maxTokens: 7 }), { max_completion_tokens: 7 })
  assert.deepEqual(rewrite('responses', { ...stream, reasoning: { summary: 'auto' } }, change), {
    model: 'new',
    stream: true,
    temperature: 0.5,
    max_output_tokens: 7,
    reasoning: { summary: 'auto', effort: 'low' },
  })
  const { reasoningEffort: _, ...withoutEffort } = change
  assert.deepEqual(rewrite('messages', { ...stream, max_tokens: 1 }, withoutEffort), {
    model: 'new',
    stream: true,
    temperature: 0.5,
    max_tokens: 7,
  })
  assert.deepEqual(rewrite('google', { generationConfig: { topP: 1, maxOutputTokens: 1 } }, withoutEffort), {
    generationConfig: { topP: 1, maxOutputTokens: 7, temperature: 0.5 },
  })
})

test('only the tools are offered that are enabled; without any, nothing speaks of tools', () => {
  const named = (names: string[]) => names.map((name) => ({ name }))
  const functions = (names: string[]) => named(names).map((tool) => ({ type: 'function', function: tool }))
  const tools = ['read']
  assert.deepEqual(rewrite('chat', { tools: functions(['read', 'bash']) }, { tools }), { tools: functions(['read']) })
  assert.deepEqual(rewrite('messages', { tools: named(['read', 'bash']) }, { tools }), { tools: named(['read']) })
  assert.deepEqual(rewrite('responses', { tools: named(['read', 'bash']) }, { tools }), { tools: named(['read']) })
  const declared = (names: string[]) => ({ tools: [{ functionDeclarations: named(names) }] })
  assert.deepEqual(rewrite('google', declared(['read', 'bash']), { tools }), declared(['read']))
  assert.deepEqual(rewrite('chat', { tools: functions(['bash']), tool_choice: 'auto' }, { tools: [] }), {})
  assert.deepEqual(rewrite('google', { ...declared(['bash']), toolConfig: {} }, { tools: [] }), {})
})

test(
  'the options of a run are those of its sub-agents, and its key and address those of its provider',
  LIMIT,
  async (t) => {
    const provider = await startProvider(t, (response) => response.end('{}'))
    const own = await startProvider(t, (response) => response.end('{}'))
    const scene = await startScene(t, provider.address)
    const { runs } = scene.proxy
    const run = { runId: 'run', sessionId: SESSION, tenant: 'tenant', budget: {} }
    runs.keys.keep(run, 'key-of-the-request')
    const begin = (options: ModelOptions) => runs.begin({ ...run, options }, () => {})
    const ofChild = { headers: { 'x-session-id': 'ses_child' }, body: '{"model":"m"}' }

    await begin({ provider: 'acme', keyed: true, temperature: 0.5, model: 'n' })
    assert.equal((await scene.call('/chat/completions', ofChild)).status, 200)
    assert.deepEqual(JSON.parse(provider.calls[0]?.body ?? ''), { model: 'n', temperature: 0.5 })
    assert.equal(provider.calls[0]?.headers.authorization, 'Bearer key-of-the-request')
    assert.equal(provider.calls[0].headers['x-config'], 'of the operator')

    await begin({ provider: 'acme', endpoint: `${own.address}/v1` })
    await scene.call('/chat/completions', ofChild)
    assert.equal(own.calls[0]?.url, '/v1/chat/completions')
    assert.equal(own.calls[0].headers.authorization, undefined)
    assert.equal(own.calls[0].headers['x-config'], undefined)

    await begin({ provider: 'another', keyed: true, model: 'n', endpoint: own.address, maxTokens: 5 })
    await scene.call('/chat/completions', ofChild)
    assert.deepEqual(JSON.parse(provider.calls[1]?.body ?? ''), { model: 'm', max_tokens: 5 })
    assert.equal(provider.calls[1]?.headers.authorization, `Bearer ${KEY}`)

    const bad = await scene.call('/chat/completions', { ...ofChild, body: '{"model":"m"' })
    assert.equal(bad.status, 400)
  },
)

test('a run whose key is gone does not begin, and no key is pushed out by others', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{}'))
  const { proxy } = await startScene(t, provider.address)
  const { keys } = proxy.runs
  const about = {
    sessionId: SESSION,
    tenant: 'tenant',
    budget: {},
    options: { provider: 'acme', keyed: true as const },
  }
  const run = (index: number) => ({ ...about, runId: `run-${index}` })
  const begin = (index: number) => proxy.runs.begin(run(index), () => {})
  const gone = { code: 'MODEL_AUTH' }
  await assert.rejects(begin(0), gone)
  for (let index = 0; index < 1_500; index += 1) keys.keep(run(index), `key-${index}`)
  await begin(0)
  keys.drop(run(1_499))
  await assert.rejects(begin(1_499), gone)
  assert.equal(keys.of(run(0)), 'key-0')

  keys.keepForSession(SESSION, 'key-of-all')
  keys.drop(run(2))
  assert.deepEqual([keys.of(run(2)), keys.of(run(3)), keys.ofSession(SESSION)], [undefined, 'key-3', 'key-of-all'])
  keys.drop({ sessionId: SESSION })
  assert.equal(keys.ofSession(SESSION), undefined)
  await assert.rejects(begin(3), gone)
})
