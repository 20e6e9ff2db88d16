import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitSettings, type EngineSettings } from '../src/index.ts'

const providerOfVariable = { ANTHROPIC_API_KEY: 'anthropic', OPENAI_API_KEY: 'openai', AZURE_API_KEY: 'azure' }
const nothing: EngineSettings = { config: {}, auth: {}, environment: {} }
const split = (settings: Partial<EngineSettings>) =>
  splitSettings({
    settings: { ...nothing, ...settings },
    providerOfVariable,
    readText: (path) => `content of ${path}\n`,
  })

test('a key of the environment stays with the proxy', () => {
  const { engine, upstreams, straight } = split({ environment: { ANTHROPIC_API_KEY: 'secret', OTHER: 'x' } })
  assert.deepEqual(upstreams.get('anthropic'), {
    origin: 'https://api.anthropic.com',
    basePath: '/v1',
    headers: {},
    key: 'secret',
  })
  assert.deepEqual(engine.environment, { OTHER: 'x' })
  assert.deepEqual(straight, [])
})

test('a provider of the configuration loses address, key and headers, and keeps the rest', () => {
  const options = { baseURL: 'http://host:1/v1', apiKey: 'secret', headers: { 'X-Team': 'also' }, timeout: 5 }
  const { engine, upstreams } = split({
    config: { model: 'a/b', provider: { a: { npm: '@ai-sdk/openai-compatible', options, models: { b: {} } } } },
  })
  assert.deepEqual(engine.config, {
    model: 'a/b',
    provider: { a: { npm: '@ai-sdk/openai-compatible', options: { timeout: 5 }, models: { b: {} } } },
  })
  assert.deepEqual(upstreams.get('a'), {
    origin: 'http://host:1',
    basePath: '/v1',
    headers: { 'x-team': 'also' },
    key: 'secret',
  })
})

test('the configuration’s key comes before stored credentials, and those before the environment', () => {
  const keyOf = (settings: Partial<EngineSettings>) => split(settings).upstreams.get('openai')?.key
  const environment = { OPENAI_API_KEY: 'environment' }
  const auth = { openai: { type: 'api', key: 'auth' } }
  const config = { provider: { openai: { options: { apiKey: 'config' } } } }
  assert.equal(keyOf({ environment }), 'environment')
  assert.equal(keyOf({ environment, auth }), 'auth')
  assert.equal(keyOf({ environment, auth, config }), 'config')
})

test('what the engine would fill in is filled in, from the keys of providers and nothing else', () => {
  const key = (apiKey: string) =>
    split({
      environment: { OPENAI_API_KEY: 'environment' },
      config: { provider: { a: { options: { baseURL: 'http://h', apiKey } } } },
    }).upstreams.get('a')?.key
  assert.equal(key('{env:OPENAI_API_KEY}'), 'environment')
  assert.equal(key('{env:HOME}'), undefined)
  assert.equal(key('{file:/run/key}'), 'content of /run/key')
})

test('what cannot be proxied goes to the engine as it is, with the reason', () => {
  const auth = { anthropic: { type: 'oauth', refresh: 'r' }, unknown: { type: 'api', key: 'k' } }
  const bedrock = { npm: '@ai-sdk/amazon-bedrock', options: { secretAccessKey: 's' } }
  const config = { provider: { bedrock } }
  const environment = { ANTHROPIC_API_KEY: 'a', AZURE_API_KEY: 'z' }
  const { engine, upstreams, straight } = split({ auth, config, environment })
  assert.equal(upstreams.size, 0)
  assert.deepEqual(engine, { auth, config, environment })
  assert.deepEqual(straight.map(({ provider, why }) => `${provider}: ${why}`).toSorted(), [
    'anthropic: its credentials of type "oauth" only the engine can use',
    'azure: its address is not known; set "baseURL" in its options',
    'bedrock: its SDK "@ai-sdk/amazon-bedrock" speaks in a way the proxy does not know',
    'unknown: its address is not known; set "baseURL" in its options',
  ])
})

test('a provider that is not enabled is neither proxied nor given to the engine', () => {
  const { engine, upstreams } = split({
    config: { enabled_providers: ['openai'] },
    auth: { anthropic: { type: 'api', key: 'k' } },
    environment: { OPENAI_API_KEY: 'o', ANTHROPIC_API_KEY: 'a' },
  })
  assert.deepEqual([...upstreams.keys()], ['openai'])
  assert.deepEqual(engine.environment, {})
  assert.deepEqual(engine.auth, {})
})
