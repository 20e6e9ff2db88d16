import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { createSealing, parseSealingKey, SealingError, type SealingKey } from '../src/index.ts'

const FIRST = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const SECOND = 'ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8='

const CONTEXT = 'git_credentials of 1'
const TEXT = 'canary-über-💚'

const key = (text: string): SealingKey => parseSealingKey(text) ?? assert.fail('no key')
const first = createSealing({ current: key(FIRST) })
const fails = (reason: SealingError['reason']) => (error: unknown) =>
  error instanceof SealingError && error.reason === reason && !error.message.includes('canary')

test('what was sealed opens with its context', () => {
  for (const text of ['', TEXT, 'x'.repeat(100_000)]) assert.equal(first.open(first.seal(text, CONTEXT), CONTEXT), text)
})

test('a sealed text is printable, shows nothing of the text and is never the same twice', () => {
  const sealed = first.seal(TEXT, CONTEXT)
  assert.match(sealed, /^[\w.-]+$/)
  assert.doesNotMatch(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').toString('latin1'), /canary/)
  assert.notEqual(sealed, first.seal(TEXT, CONTEXT))
})

test('it opens for no other context', () => {
  const sealed = first.seal(TEXT, CONTEXT)
  for (const other of ['', 'git_credentials of 2', `${CONTEXT} `]) {
    assert.throws(() => first.open(sealed, other), fails('altered'), other)
  }
})

test('no byte of it can be changed or left out', () => {
  const [form = '', id = '', text = ''] = first.seal('abc', CONTEXT).split('.')
  const body = Buffer.from(text, 'base64url')
  for (const index of body.keys()) {
    const changed = Buffer.from(body)
    changed[index] = (changed[index] ?? 0) ^ 1
    const sealed = `${form}.${id}.${changed.toString('base64url')}`
    assert.throws(() => first.open(sealed, CONTEXT), fails('altered'), `byte ${index}`)
  }
  for (let length = 0; length < body.length; length += 1) {
    const sealed = `${form}.${id}.${body.subarray(0, length).toString('base64url')}`
    assert.throws(() => first.open(sealed, CONTEXT), fails(length < 28 ? 'malformed' : 'altered'), `${length} bytes`)
  }
})

test('what is no sealed text is told as that', () => {
  const sealed = first.seal(TEXT, CONTEXT)
  const [form = '', id = '', text = ''] = sealed.split('.')
  for (const wrong of [
    '',
    'x',
    TEXT,
    `v2.${id}.${text}`,
    `${form}.${text}`,
    `${sealed}=`,
    `${sealed}\n`,
    ` ${sealed}`,
  ]) {
    assert.throws(() => first.open(wrong, CONTEXT), fails('malformed'), JSON.stringify(wrong))
  }
})

test('after a change of keys the former one still opens and the new one seals', () => {
  const before = first.seal(TEXT, CONTEXT)
  const rotated = createSealing({ current: key(SECOND), previous: key(FIRST) })
  assert.equal(rotated.open(before, CONTEXT), TEXT)
  assert.equal(rotated.isStale(before), true)
  const after = rotated.seal(TEXT, CONTEXT)
  assert.equal(rotated.isStale(after), false)
  assert.equal(createSealing({ current: key(SECOND) }).open(after, CONTEXT), TEXT)
  assert.throws(() => first.open(after, CONTEXT), fails('unknown_key'))
})

test('a text under the name of another key does not open', () => {
  const rotated = createSealing({ current: key(SECOND), previous: key(FIRST) })
  const [form, , body] = first.seal(TEXT, CONTEXT).split('.')
  assert.throws(() => rotated.open(`${form}.${key(SECOND).id}.${body}`, CONTEXT), fails('altered'))
})

test('a key is 32 bytes in base64 and no text somebody typed', () => {
  const text = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index)).toString('base64')
  for (const form of [text, text.slice(0, -1), text.replaceAll('+', '-').replaceAll('/', '_')]) {
    assert.equal(parseSealingKey(form)?.id, key(text).id, form)
  }
  const wrong = ['', 'secret', 'A'.repeat(43), FIRST.slice(1), `${FIRST}A`, 'a'.repeat(64), `${FIRST} `, `${FIRST}\n`]
  for (const text of wrong) assert.equal(parseSealingKey(text), undefined, JSON.stringify(text))
})

test('a key that is printed or serialised does not show its bytes', () => {
  const shown = inspect(key(FIRST), { depth: 9, showHidden: true }) + JSON.stringify(key(FIRST)) + JSON.stringify(first)
  for (const form of ['AAECAw', '000102', '0, 1, 2', '0,1,2']) assert.ok(!shown.includes(form), form)
})
