import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import * as contracts from '../src/index.ts'

const schemas = Object.entries(contracts).flatMap(([name, value]) =>
  typeof value === 'object' && value !== null && '$id' in value && typeof value.$id === 'string'
    ? [{ name, id: value.$id, schema: value as { $id: string; type?: string; additionalProperties?: unknown } }]
    : [],
)

test('no two schemas share an id', () => {
  const ids = schemas.map(({ id }) => id)
  assert.deepEqual(
    ids.filter((id, i) => ids.indexOf(id) !== i),
    [],
  )
  assert.ok(ids.length > 30, `only ${ids.length} schemas were looked at`)
})

test('every request refuses unknown fields', () => {
  for (const { id, schema } of schemas) {
    if (/(Request|Query)$/.test(id)) assert.equal(schema.additionalProperties, false, id)
  }
})

test('a blank prompt is not a prompt', () => {
  assert.equal(Value.Check(contracts.RunRequest, { prompt: ' \n\t' }), false)
  assert.equal(Value.Check(contracts.RunRequest, { prompt: '' }), false)
  assert.equal(Value.Check(contracts.RunRequest, { prompt: 'do it' }), true)
})

test('durations are seconds or a number with its unit', () => {
  for (const good of [1, 0.5, '300s', '5m', '1h', '250ms'])
    assert.ok(Value.Check(contracts.Duration, good), String(good))
  for (const bad of [0, -1, '5', '5 m', 'm', '1d', ''])
    assert.equal(Value.Check(contracts.Duration, bad), false, String(bad))
})

test('every error code has an HTTP status of an error', () => {
  for (const code of contracts.errorCodes) {
    const { status } = contracts.errorTable[code]
    assert.ok(status >= 400 && status < 600, `${code}: ${status}`)
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/)
  }
})

test('an error says what the table says unless told otherwise', () => {
  assert.equal(new contracts.GatewayError('QUEUE_FULL', 'x').retryable, true)
  assert.equal(new contracts.GatewayError('QUEUE_FULL', 'x', { retryable: false }).retryable, false)
  assert.ok(new contracts.ExecutorError('ENGINE_LOST', 'x') instanceof contracts.GatewayError)
})
