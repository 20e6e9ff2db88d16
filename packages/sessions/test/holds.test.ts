import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHolds } from '../src/queue/holds.ts'

const { signal } = new AbortController()

test('who holds a session has it alone, and the next one has it after that', async () => {
  const freed: string[] = []
  const holds = createHolds((sessionId) => freed.push(sessionId))
  const told: string[] = []
  const first = await holds.take('s', signal)
  const waiting = holds.take('s', signal).then((hold) => {
    told.push('second')
    return hold
  })
  const other = await holds.take('other', signal)
  other[Symbol.dispose]()
  told.push('first ends')
  first[Symbol.dispose]()
  const second = await waiting
  assert.deepEqual(told, ['first ends', 'second'])
  assert.ok(holds.has('s'))
  second[Symbol.dispose]()
  assert.ok(!holds.has('s'))
  assert.deepEqual(freed, ['other', 's'], 'between two holds the session is not free')
})

test('a session counts as held from the moment it is asked for', () => {
  const holds = createHolds(() => {})
  void holds.take('s', signal)
  assert.ok(holds.has('s'))
})

test('who leaves the line takes nobody else with it', async () => {
  const holds = createHolds(() => {})
  const first = await holds.take('s', signal)
  const leaving = new AbortController()
  const left = holds.take('s', leaving.signal)
  const third = holds.take('s', signal)
  leaving.abort(new Error('left'))
  await assert.rejects(left, /left/)
  first[Symbol.dispose]()
  const held = await third
  held[Symbol.dispose]()
  assert.ok(!holds.has('s'))
  await assert.rejects(holds.take('s', leaving.signal), /left/)
  assert.ok(!holds.has('s'))
})

test('a session stays held when the last in its line leaves', async () => {
  const freed: string[] = []
  const holds = createHolds((sessionId) => freed.push(sessionId))
  const first = await holds.take('s', signal)
  const leaving = new AbortController()
  const left = holds.take('s', leaving.signal)
  leaving.abort(new Error('left'))
  await assert.rejects(left, /left/)
  assert.ok(holds.has('s'))
  assert.deepEqual(freed, [])
  const next = holds.take('s', signal)
  first[Symbol.dispose]()
  const held = await next
  held[Symbol.dispose]()
  assert.ok(!holds.has('s'))
  assert.deepEqual(freed, ['s'])
})
