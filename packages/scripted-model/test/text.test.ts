import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitDeltas, splitFields, takeOptions, unescapeText } from '../src/text.ts'

test('deltas put together are the text', () => {
  for (const text of ['', ' ', 'one', ' two words ', 'a\n\nb\n', 'é 😀 ü', '😀'.repeat(1000), 'word '.repeat(5000)]) {
    const deltas = splitDeltas(text)
    assert.equal(deltas.join(''), text)
    assert.ok(deltas.length <= 100)
  }
  assert.deepEqual(splitDeltas('two words'), ['two', ' words'])
})

test('only the known escapes are undone', () => {
  assert.equal(unescapeText(String.raw`a\nb\tc\|d\\n\x`), 'a\nb\tc|d\\n\\x')
})

test('fields are split at bars with spaces around them, up to a limit', () => {
  assert.deepEqual(splitFields('a | b|c | d', 2), ['a', 'b|c | d'])
  assert.deepEqual(splitFields(String.raw`a \| b | c`), ['a | b', 'c'])
  assert.deepEqual(splitFields('a |'), ['a', ''])
})

test('options are taken from the front only', () => {
  const { options, rest } = takeOptions('times=2 retry-after=1 wait=x for a=b')
  assert.deepEqual([...options.keys()], ['times', 'retry-after', 'wait'])
  assert.equal(rest, 'for a=b')
})
