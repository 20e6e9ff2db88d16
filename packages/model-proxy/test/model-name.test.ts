import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelName } from '../src/model-name.ts'

const named = (text: string): string | undefined =>
  modelName({ dialect: 'chat', path: '/chat/completions' }, Buffer.from(text))

test('the model of a call is found wherever its name is', () => {
  assert.equal(named('{"model":"a","messages":[]}'), 'a')
  assert.equal(named('{"messages":[],"model":"a"}'), 'a')
  assert.equal(named('{"model":"a\\/b"}'), 'a/b')
})

test('a call that begins with one model and ends with another is for none', () => {
  assert.equal(named('{"model":"cheap","messages":[],"model":"dear"}'), undefined)
  assert.equal(named('{"model":"cheap","messages":[],"\\u006dodel":"dear"}'), undefined)
})

test('a call that is no JSON, or whose model has too long a name, is for none', () => {
  assert.equal(named('{"model":"a"'), undefined)
  assert.equal(named(JSON.stringify({ model: 'a'.repeat(256) })), 'a'.repeat(256))
  assert.equal(named(JSON.stringify({ model: 'a'.repeat(257) })), undefined)
})
