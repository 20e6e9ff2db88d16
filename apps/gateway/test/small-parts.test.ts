import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GatewayError } from '@opencode-gateway/contracts'
import { takesEventStream, wantsEventStream } from '../src/http/accept.ts'
import { readCursor, readListCursor, writeListCursor } from '../src/http/cursor.ts'
import { durationMs } from '../src/orders/duration.ts'
import { failureOf } from '../src/http/failure.ts'
import { fieldProblems } from '../src/http/field-problems.ts'
import { readIdempotencyKey } from '../src/http/idempotency.ts'
import { requireOptions } from '../src/orders/options.ts'
import { readPrefer } from '../src/http/prefer.ts'
import { problemHeaders, problemOf } from '../src/http/problem.ts'

describe('a duration', () => {
  const cases: [number | string, number | undefined][] = [
    [300, 300_000],
    [0.5, 500],
    ['300', 300_000],
    ['300s', 300_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['250ms', 250],
    ['', undefined],
    ['s', undefined],
    ['5 m', undefined],
    ['5y', undefined],
    ['-5s', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    ['5toString', undefined],
  ]
  for (const [input, expected] of cases) {
    it(`${JSON.stringify(input)} is ${expected === undefined ? 'none' : `${expected} ms`}`, () => {
      assert.equal(durationMs(input), expected)
    })
  }
})

describe('the header Prefer', () => {
  const cases: [string | string[] | undefined, ReturnType<typeof readPrefer>][] = [
    [undefined, { mode: 'wait' }],
    ['', { mode: 'wait' }],
    ['return=minimal', { mode: 'wait' }],
    ['respond-async', { mode: 'async' }],
    ['Respond-Async', { mode: 'async' }],
    ['wait=10', { mode: 'limited', waitMs: 10_000, applied: 'wait=10' }],
    ['wait="10"', { mode: 'limited', waitMs: 10_000, applied: 'wait=10' }],
    ['respond-async, wait=5', { mode: 'limited', waitMs: 5000, applied: 'wait=5' }],
    [['respond-async', 'wait=5'], { mode: 'limited', waitMs: 5000, applied: 'wait=5' }],
    ['wait=999999', { mode: 'limited', waitMs: 3_600_000, applied: 'wait=3600' }],
    ['wait=soon', { mode: 'wait' }],
  ]
  for (const [header, expected] of cases) {
    it(`${JSON.stringify(header)} means ${expected.mode}`, () => {
      assert.deepEqual(readPrefer(header), expected)
    })
  }
})

describe('the header Accept', () => {
  const cases: [string | undefined, wants: boolean, takes: boolean][] = [
    [undefined, false, true],
    ['*/*', false, true],
    ['text/event-stream', true, true],
    ['application/json, Text/Event-Stream;q=0.5', true, true],
    ['text/*', false, true],
    ['application/json', false, false],
    ['*/*, text/event-stream;q=0', false, false],
    ['*/*;q=0', false, false],
  ]
  for (const [accept, wants, takes] of cases) {
    it(`${JSON.stringify(accept)} ${wants ? 'asks for' : takes ? 'allows' : 'refuses'} a stream`, () => {
      assert.equal(wantsEventStream(accept), wants)
      assert.equal(takesEventStream(accept), takes)
    })
  }
})

describe('a cursor', () => {
  it('is the beginning when nothing is said', () => {
    assert.deepEqual(readCursor(undefined, undefined), { at: 'id', after: 0 })
    assert.deepEqual(readCursor('', ''), { at: 'id', after: 0 })
  })
  it('is taken from Last-Event-ID first', () => {
    assert.deepEqual(readCursor('7', '3'), { at: 'id', after: 7 })
    assert.deepEqual(readCursor(undefined, 'tail'), { at: 'tail' })
  })
  for (const bad of ['x', '-1', '1.5', '0x10', '1e3', ' 1', '99999999999999999999']) {
    it(`is not ${JSON.stringify(bad)}`, () => {
      assert.throws(() => readCursor(bad, undefined), { code: 'INVALID_CURSOR' })
    })
  }
  it('of a list survives the way there and back', () => {
    const place = { createdAt: 1_795_000_000_000, sessionId: '6e0c8f0a-0000-4000-8000-000000000000' }
    assert.deepEqual(readListCursor(writeListCursor(place)), place)
    assert.throws(() => readListCursor('bm9uZQ'), { code: 'INVALID_CURSOR' })
  })
})

describe('options an executor does not list', () => {
  const executor = { name: 'plain', capabilities: { options: ['model'] as const } }
  it('are refused with the name of the option and of the executor', () => {
    assert.throws(
      () => requireOptions({ prompt: 'x', model: 'a/b', agent: 'build', push: false }, executor),
      (err) =>
        err instanceof GatewayError &&
        err.code === 'UNSUPPORTED_OPTION' &&
        /"plain" cannot honour "agent", "push"/.test(err.message),
    )
  })
  it('do not hinder what is listed or absent', () => {
    requireOptions({ prompt: 'x', model: 'a/b', agent: undefined }, executor)
  })
})

describe('an idempotency key', () => {
  const read = (body: unknown, key?: string, route = 'POST /run') =>
    readIdempotencyKey(
      { client: { tenant: 't' }, headers: key === undefined ? {} : { 'idempotency-key': key }, body },
      route,
    )
  it('is optional', () => assert.equal(read({}), undefined))
  it('has the same digest for the same body, in whatever order its members come', () => {
    assert.equal(
      read({ a: 1, b: { c: [1, 2], d: 2 } }, 'k')?.digest,
      read({ b: { d: 2, c: [1, 2] }, a: 1 }, 'k')?.digest,
    )
    assert.notEqual(read({ a: [1, 2] }, 'k')?.digest, read({ a: [2, 1] }, 'k')?.digest)
    assert.notEqual(read({ a: 1 }, 'k')?.digest, read({ a: '1' }, 'k')?.digest)
  })
})

describe('problems of fields', () => {
  it('are one per field, with its reasons joined, and at most twenty', () => {
    const errors = [
      { keyword: 'type', instancePath: '/timeout', params: {}, message: 'must be number' },
      { keyword: 'pattern', instancePath: '/timeout', params: { pattern: '^x$' }, parentSchema: { examples: ['x'] } },
      { keyword: 'anyOf', instancePath: '/timeout', params: {}, message: 'must match a schema in anyOf' },
      { keyword: 'required', instancePath: '/a~1b', params: { missingProperty: 'c' } },
    ]
    assert.deepEqual(fieldProblems(errors, 'body'), [
      { field: 'timeout', reason: 'must be number or must be like "x"' },
      { field: 'a/b.c', reason: 'is required' },
    ])
    const none = { keyword: 'type', instancePath: '', params: { type: 'object' }, message: 'must be object' }
    assert.deepEqual(fieldProblems([none], 'body'), [
      { field: 'body', reason: 'must be a JSON object, sent as application/json' },
    ])
    const many = Array.from({ length: 50 }, (_, index) => ({
      keyword: 'additionalProperties',
      instancePath: '',
      params: { additionalProperty: `f${index}` },
    }))
    assert.equal(fieldProblems(many, 'body').length, 20)
  })
})

describe('an error as clients see it', () => {
  it('of our own making hides its text', () => {
    for (const err of [
      new Error('secret path /x'),
      'thrown text',
      new GatewayError('STORE_UNAVAILABLE', 'secret path /x'),
    ]) {
      const { code, detail } = failureOf(err)
      assert.ok(code === 'INTERNAL' || code === 'STORE_UNAVAILABLE')
      assert.equal(detail.includes('secret'), false)
    }
  })
  it('says when to come back where that helps', () => {
    assert.equal(problemHeaders(failureOf(new GatewayError('QUEUE_FULL', 'x')))['retry-after'], '2')
    assert.equal(
      problemHeaders(failureOf(new GatewayError('QUEUE_FULL', 'x', { retryAfterMs: 2500 })))['retry-after'],
      '3',
    )
    assert.equal('retry-after' in problemHeaders(failureOf(new GatewayError('SESSION_EXISTS', 'x'))), false)
    assert.equal('retry-after' in problemHeaders(failureOf(new GatewayError('ENGINE_INCOMPATIBLE', 'x'))), false)
  })
  it('repeats its text as `error`, for older clients', () => {
    const failure = failureOf(
      new GatewayError('SESSION_EXISTS', 'taken', { details: { field: 'session_id', reason: 'is taken' } }),
    )
    assert.deepEqual(problemOf(failure, { instance: '/sessions', requestId: 'r', at: 0 }), {
      type: 'about:blank',
      title: 'The session id is taken',
      status: 409,
      detail: 'taken',
      instance: '/sessions',
      code: 'SESSION_EXISTS',
      error: 'taken',
      details: { field: 'session_id', reason: 'is taken' },
      request_id: 'r',
      timestamp: '1970-01-01T00:00:00.000Z',
      retryable: false,
    })
  })
})
