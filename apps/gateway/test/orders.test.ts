import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BudgetAsking } from '../src/orders/budgets.ts'
import { promptOrder, type OrderRules } from '../src/orders/orders.ts'

const rules: OrderRules = {
  defaultMs: 60_000,
  maximumMs: 60_000,
  maxModelCalls: 10,
  budgets: { most: { calls: 5 }, raisableTo: { calls: 9 }, asking: 'request' },
  keyId: 'ci',
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
  const budget = { calls: 3, cost_usd: 1, wall: '2m' }
  assert.deepEqual(order({ budget }).budget, { calls: 3, costUsd: 1, wallMs: 120_000 })
  assert.throws(() => order({ budget: { calls: 6 } }), { code: 'INVALID_REQUEST' })
  assert.throws(() => order({ budget: { wall: '0s' } }), { code: 'INVALID_REQUEST' })
  assert.equal(order({}).keyId, 'ci')
})

test('a run asks at its limit as its request says, where the gateway lets it', () => {
  const raisable = (request: object, asking: BudgetAsking) =>
    promptOrder({ prompt: 'x', ...request }, { ...rules, budgets: { ...rules.budgets, asking } }).raisableTo
  const [ask, end] = [{ budget: { on_limit: 'ask' } }, { budget: { on_limit: 'end' } }]
  assert.deepEqual([raisable({}, 'request'), raisable(ask, 'request')], [undefined, { calls: 9 }])
  assert.deepEqual([raisable({}, 'always'), raisable(end, 'always')], [{ calls: 9 }, undefined])
  assert.throws(() => raisable(ask, 'never'), { code: 'INVALID_REQUEST' })
  const unlimited = { most: {}, raisableTo: {}, asking: 'always' } as const
  const shared = promptOrder({ prompt: 'x' }, { ...rules, budgets: unlimited })
  assert.deepEqual([shared.budget, shared.raisableTo], [undefined, {}], 'at the limits that it shares, too')
})
