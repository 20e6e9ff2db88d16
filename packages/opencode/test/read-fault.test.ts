import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanText, readFault } from '../src/read-fault.ts'

test('an error keeps its words and loses what it tells of the provider', () => {
  const error = {
    name: 'APIError',
    data: {
      message: 'quota exceeded',
      statusCode: 429,
      isRetryable: true,
      responseHeaders: { 'set-cookie': 'secret' },
      responseBody: 'secret',
      metadata: { url: 'http://secret' },
    },
  }
  assert.deepEqual(readFault(error), { name: 'APIError', message: 'quota exceeded', statusCode: 429, retryable: true })
})

test('an address in a text is left out, and a long text is cut', () => {
  assert.equal(cleanText('cannot reach https://user:pw@internal/v1?key=1 now'), 'cannot reach <address> now')
  assert.equal(cleanText('x'.repeat(1000)).length, 501)
})

test('a stack is left out', () => {
  assert.equal(
    cleanText('NoProviders: none\n    at <anonymous> (/bin/x.js:1:2)\n    at run (y.js:3)'),
    'NoProviders: none',
  )
})

test('what is no error is none', () => {
  for (const value of [undefined, null, 'text', {}, [], { name: 5 }]) assert.equal(readFault(value), undefined)
})
