import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callOf, temporaryDirectory } from '../gateway.ts'
import { startGatewayProcess } from '../gateway-process.ts'
import { startRecordingProvider } from '../recording-provider.ts'

const LIMIT = { timeout: 120_000 }
const KEY = 'canary-key-of-the-request'
const OWN_KEY = 'canary-key-of-the-gateway'
const model = { tool_call: true, temperature: true, reasoning: false, limit: { context: 200_000, output: 8192 } }

/** Names of the tools in a request of any dialect. */
function toolsIn(body: Record<string, unknown>): string[] {
  const tools: unknown[] = Array.isArray(body.tools) ? body.tools : []
  return tools
    .flatMap((tool) => Object(tool).functionDeclarations ?? [Object(tool).function ?? tool])
    .map((tool) => String(Object(tool).name))
    .toSorted()
}

test('B4: what a request asks of its model is what the provider receives', { timeout: 240_000 }, async (t) => {
  const provider = await startRecordingProvider(t)
  const dataDir = await temporaryDirectory(t)
  const declared = (npm: string, base: string) => ({
    npm,
    options: { baseURL: `${provider.address}/${base}`, apiKey: OWN_KEY },
    models: { one: model },
  })
  await using gateway = await startGatewayProcess({
    dataDir,
    env: {
      LOG_LEVEL: 'trace',
      MODEL_ENDPOINT_HOSTS: new URL(provider.address).host,
      OPENCODE_CONFIG_JSON: JSON.stringify({
        model: 'local/one',
        small_model: 'local/one',
        provider: {
          local: declared('@ai-sdk/openai-compatible', 'local/v1'),
          openai: declared('@ai-sdk/openai', 'openai/v1'),
          anthropic: declared('@ai-sdk/anthropic', 'anthropic/v1'),
          google: declared('@ai-sdk/google', 'google/v1beta'),
          openrouter: declared('@openrouter/ai-sdk-provider', 'openrouter/v1'),
        },
      }),
    },
  })
  await gateway.ready()
  const call = callOf(t, gateway.url)
  const told: string[] = []

  async function run(body: object) {
    const before = provider.calls.length
    const answer = await call('POST', '/run', { prompt: 'go', ...body })
    told.push(answer.text)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.json().output, 'recorded')
    const [received, ...others] = provider.calls.slice(before)
    assert.ok(received)
    assert.equal(others.length, 0)
    return { ...received, usage: Object(answer.json().usage) }
  }

  const asked = { temperature: 0.25, max_tokens: 321, enabled_tools: ['read', 'grep'], api_key: KEY }
  const cases = [
    {
      provider: 'local',
      path: /^\/local\/v1\/chat\/completions$/,
      key: ['authorization', `Bearer ${KEY}`],
      fields: { model: 'one-v2', temperature: 0.25, max_tokens: 321 },
    },
    {
      provider: 'openrouter',
      path: /^\/openrouter\/v1\/chat\/completions$/,
      key: ['authorization', `Bearer ${KEY}`],
      fields: { model: 'one-v2', temperature: 0.25, max_tokens: 321 },
    },
    {
      provider: 'openai',
      path: /^\/openai\/v1\/responses$/,
      key: ['authorization', `Bearer ${KEY}`],
      fields: { model: 'one-v2', temperature: 0.25, max_output_tokens: 321 },
    },
    {
      provider: 'anthropic',
      path: /^\/anthropic\/v1\/messages$/,
      key: ['x-api-key', KEY],
      fields: { model: 'one-v2', temperature: 0.25, max_tokens: 321 },
    },
    {
      provider: 'google',
      path: /^\/google\/v1beta\/models\/one-v2:streamGenerateContent\?alt=sse$/,
      key: ['x-goog-api-key', KEY],
      fields: { 'generationConfig.temperature': 0.25, 'generationConfig.maxOutputTokens': 321 },
    },
  ]
  for (const { provider: name, path, key, fields } of cases) {
    await t.test(`${name}: in the fields of its own API`, LIMIT, async () => {
      const config = { provider: name, model: 'one', model_version: 'v2', ...asked }
      const { body, headers, path: called, usage } = await run({ model_config: config, system_prompt: 'Be a canary.' })
      assert.match(called, path)
      assert.equal(headers[String(key[0])], key[1])
      for (const [field, value] of Object.entries(fields)) {
        const found = field.split('.').reduce<unknown>((part, member) => Object(part)[member], body)
        assert.equal(found, value, field)
      }
      assert.deepEqual(toolsIn(body), ['grep', 'read'])
      assert.ok(JSON.stringify(body).includes('Be a canary.'))
      assert.deepEqual([usage.tokens.input, usage.tokens.output, usage.model_calls], [11, 3, 1])
    })
  }

  await t.test('reasoning effort, where an API has it', LIMIT, async () => {
    const effort = { reasoning_effort: 'low' }
    const chat = await run({ model_config: { provider: 'local', model: 'one', ...effort } })
    assert.equal(chat.body.reasoning_effort, 'low')
    const responses = await run({ model_config: { provider: 'openai', model: 'one', ...effort } })
    assert.equal(Object(responses.body.reasoning).effort, 'low')
  })

  await t.test('the gateway’s own key is used where the request has none', LIMIT, async () => {
    const { headers, body } = await run({ model_config: { temperature: 0.5 } })
    assert.equal(headers.authorization, `Bearer ${OWN_KEY}`)
    assert.deepEqual([body.model, body.temperature], ['one', 0.5])
  })

  await t.test('an endpoint of the request’s own, without the gateway’s key', LIMIT, async () => {
    const endpoint = `${provider.address}/mine/v1`
    for (const [name, path, header] of [
      ['ollama', '/mine/v1/chat/completions', 'authorization'],
      ['anthropic', '/mine/v1/messages', 'x-api-key'],
      ['google', '/mine/v1/models/small-1:streamGenerateContent?alt=sse', 'x-goog-api-key'],
      ['openai', '/mine/v1/responses', 'authorization'],
    ] as const) {
      const config = { provider: name, model: 'small-1', api_endpoint: endpoint }
      const bare = await run({ model_config: config })
      assert.equal(bare.usage.model, `${name}/small-1`)
      assert.equal(bare.path, path)
      if (name !== 'google') assert.equal(bare.body.model, 'small-1')
      assert.equal(bare.headers[header], undefined)
      const keyed = await run({ model_config: { ...config, api_key: KEY } })
      assert.ok(String(keyed.headers[header]).endsWith(KEY))
    }
  })

  await t.test('later runs of the session have it too, until a run has its own', LIMIT, async () => {
    const config = { provider: 'local', model: 'one', temperature: 0.125, api_key: KEY }
    const made = await call('POST', '/sessions', { prompt: 'first', model_config: config })
    assert.equal(made.status, 201, made.text)
    const path = `/sessions/${String(made.json().session_id)}`
    const before = provider.calls.length - 1
    assert.equal((await call('POST', `${path}/messages`, { prompt: 'second' })).status, 202)
    assert.equal(
      (await call('POST', `${path}/messages`, { prompt: 'x', model_config: { temperature: 1 } })).status,
      202,
    )
    const stream = await call('GET', `${path}/stream`)
    told.push(stream.text)
    const received = provider.calls.slice(Math.max(0, before)).slice(-3)
    assert.deepEqual(
      received.map(({ headers, body }) => [headers.authorization, body.temperature]),
      [
        [`Bearer ${KEY}`, 0.125],
        [`Bearer ${KEY}`, 0.125],
        [`Bearer ${OWN_KEY}`, 1],
      ],
    )
  })

  await t.test('what cannot be done is refused with 422, and nothing is called', LIMIT, async () => {
    const before = provider.calls.length
    for (const [config, field] of [
      [{ provider: 'nobody', model: 'one' }, 'provider'],
      [{ provider: 'local', model: 'two' }, 'model'],
      [{ provider: 'openai' }, 'model'],
      [{ api_key: KEY }, 'provider'],
      [{ provider: 'ollama', model: 'x', api_endpoint: 'http://127.0.0.1:1/v1' }, 'api_endpoint'],
      [{ provider: 'ollama', model: 'x', api_endpoint: `${provider.address}/v1?x=1` }, 'api_endpoint'],
      [{ provider: 'ollama', api_endpoint: provider.address }, 'model'],
      [{ provider: 'anthropic', model: 'one', temperature: 1.5 }, 'temperature'],
      [{ provider: 'anthropic', model: 'one', reasoning_effort: 'low' }, 'reasoning_effort'],
    ] as const) {
      const answer = await call('POST', '/run', { prompt: 'go', model_config: config })
      told.push(answer.text)
      assert.equal(answer.status, 422, `${JSON.stringify(config)} ${answer.text}`)
      assert.equal(answer.json().code, 'UNSUPPORTED_OPTION')
      assert.ok(JSON.stringify(answer.json().details).includes(`"model_config.${field}"`), answer.text)
    }
    for (const config of [{}, { temperature: 3 }, { max_tokens: 0 }, { other: 1 }, { enabled_tools: ['a b'] }, 'x']) {
      assert.equal((await call('POST', '/run', { prompt: 'go', model_config: config })).status, 400)
    }
    const contradiction = { model: 'local/one', model_config: { provider: 'openai', model: 'one' } }
    assert.equal((await call('POST', '/run', { prompt: 'go', ...contradiction })).status, 422)
    assert.equal(provider.calls.length, before)
  })

  await t.test('no key is in an answer, an event or the log', () => {
    for (const secret of [KEY, OWN_KEY]) {
      assert.equal(told.join('\n').includes(secret), false, 'in an answer')
      assert.equal(gateway.logged().includes(secret), false, 'in the log')
    }
  })
})
