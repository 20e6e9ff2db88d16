import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promptOrder, type OrderRules } from '../src/orders.ts'

const rules: OrderRules = {
  defaultMs: 60_000,
  maximumMs: 60_000,
  maxModelCalls: 10,
  budget: { calls: 5 },
  maxPromptCharacters: 100,
  policy: {},
  model: 'own/one',
  models: { providers: new Map([['own', ['one']]]), slots: true, endpointHosts: [] },
}
const order = (request: object) => Object(promptOrder({ prompt: 'x', ...request }, rules))

test('only the tools are enabled that a request names, and the one that its schema needs', () => {
  const { modelOptions, permissions } = order({ model_config: { enabled_tools: ['read', 'write'] } })
  assert.deepEqual(modelOptions.tools, ['read', 'write'])
  assert.deepEqual([permissions.read, permissions.edit, permissions.bash], [undefined, undefined, 'deny'])
  const answered = order({ model_config: { enabled_tools: [] }, output_schema: { type: 'object' } })
  assert.deepEqual(answered.modelOptions.tools, ['StructuredOutput'])
})

test('a prompt that says nothing of its model has that of the run before it', () => {
  assert.equal(order({}).inheritModel, true)
  assert.equal(order({ model: 'own/one' }).inheritModel, undefined)
  assert.equal(order({ model_config: { temperature: 1 } }).inheritModel, undefined)
})

test('a key is apart from what is stored of a run', () => {
  const { modelKey, ...stored } = order({ model_config: { provider: 'own', model: 'one', api_key: 'canary' } })
  assert.equal(modelKey, 'canary')
  assert.equal(JSON.stringify(stored).includes('canary'), false)
})

test('a budget is what the request says within that of the gateway', () => {
  assert.deepEqual(order({}).budget, { calls: 5 })
  assert.deepEqual(order({ budget: { calls: 3, cost_usd: 1 } }).budget, { calls: 3, costUsd: 1 })
  assert.throws(() => order({ budget: { calls: 6 } }), { code: 'INVALID_REQUEST' })
})
