import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unattended } from '@opencode-gateway/contracts'
import { composeEngineConfig } from '../src/engine-config.ts'

const nothing = { operator: {}, permissions: unattended, variables: [], authProviders: [] }
const declared = { script: { npm: '@ai-sdk/openai-compatible', models: { one: {} } } }

test('without a provider none is enabled, since the engine would use free hosted models', () => {
  const { config, selfContained } = composeEngineConfig(nothing)
  assert.deepEqual(config['enabled_providers'], [])
  assert.equal(selfContained, true)
})

test('our defaults are below the configuration of the operator', () => {
  const { config } = composeEngineConfig({ ...nothing, operator: { snapshot: true } })
  assert.equal(config['snapshot'], true)
  assert.equal(config['formatter'], false)
})

test('the rules of the gateway are above the operator’s, and nothing asks', () => {
  const operator = { permission: { bash: 'allow' } }
  const { config } = composeEngineConfig({ ...nothing, operator, permissions: { bash: 'ask' } })
  assert.deepEqual(config['permission'], {
    '*': 'allow',
    question: 'deny',
    external_directory: 'deny',
    bash: 'deny',
  })
})

test('nobody turns on updates or sharing', () => {
  const { config } = composeEngineConfig({ ...nothing, operator: { autoupdate: true, share: 'auto' } })
  assert.equal(config['autoupdate'], false)
  assert.equal(config['share'], 'disabled')
})

test('unattended, nothing asks, leaves the workspace or publishes', () => {
  const { config } = composeEngineConfig(nothing)
  assert.deepEqual(config['permission'], {
    '*': 'allow',
    question: 'deny',
    external_directory: 'deny',
    bash: { '*': 'allow', 'git push*': 'deny' },
  })
})

test('providers that are declared, have a key or stored credentials are enabled', () => {
  const { config } = composeEngineConfig({
    ...nothing,
    operator: { provider: declared },
    variables: ['ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'GOOGLE_API_KEY', 'OTHER'],
    authProviders: ['openrouter'],
  })
  assert.deepEqual(config['enabled_providers'], ['anthropic', 'google', 'openrouter', 'script'])
})

test('the catalogue is left out only when every model in use is declared', () => {
  const selfContained = (options: Partial<Parameters<typeof composeEngineConfig>[0]>): boolean =>
    composeEngineConfig({ ...nothing, ...options }).selfContained
  assert.equal(selfContained({ operator: { provider: declared } }), true)
  assert.equal(selfContained({ operator: { provider: declared }, variables: ['OPENAI_API_KEY'] }), false)
  assert.equal(selfContained({ operator: { provider: { anthropic: { options: {} } } } }), false)
  assert.equal(selfContained({ operator: { provider: declared, enabled_providers: ['openai'] } }), false)
})
