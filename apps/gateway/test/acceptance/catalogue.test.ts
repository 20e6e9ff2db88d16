import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { callOf, temporaryDirectory } from '../gateway.ts'
import { startGatewayProcess } from '../gateway-process.ts'
import { startRecordingProvider } from '../recording-provider.ts'

test('a provider of the catalogue needs a key alone, and its prices are known', { timeout: 120_000 }, async (t) => {
  const provider = await startRecordingProvider(t)
  const dataDir = await temporaryDirectory(t)
  const key = 'canary-key-of-anthropic'
  await using gateway = await startGatewayProcess({
    dataDir,
    env: {
      ANTHROPIC_API_KEY: key,
      OPENCODE_MODEL: 'anthropic/claude-haiku-4-5',
      RUN_BUDGET: 'cost=0.01',
      // The catalogue's address is the real one.
      OPENCODE_CONFIG_JSON: JSON.stringify({ provider: { anthropic: { options: { baseURL: provider.address } } } }),
    },
  })
  await gateway.ready()
  const answer = await callOf(t, gateway.url)('POST', '/run', { prompt: 'go' })
  assert.equal(answer.json().output, 'recorded', answer.text)
  const [call] = provider.calls
  assert.equal(call?.path, '/messages')
  assert.equal(call.headers['x-api-key'], key)
  const catalogue: unknown = JSON.parse(await readFile(join(dataDir, 'engine', 'models.json'), 'utf8'))
  const { models } = Object(Object(catalogue).anthropic)
  const { input, output } = models['claude-haiku-4-5'].cost
  const { usage } = Object(answer.json())
  assert.equal(usage.model, 'anthropic/claude-haiku-4-5')
  assert.equal(usage.cost_usd, (11 * input + 3 * output) / 1_000_000)
  assert.deepEqual(Object.keys(Object(catalogue)), ['anthropic'], 'the engine has no other provider to take in')
})
