import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { EngineEvent } from '../src/engine-model.ts'
import { createEventHub } from '../src/event-hub.ts'
import { createEventQueue } from '../src/event-queue.ts'

const event = (sessionId: string): EngineEvent => ({ type: 'idle', sessionId })
const never = new AbortController().signal
const LONG_MS = 60_000

test('events wait in order', async () => {
  const queue = createEventQueue(100)
  queue.push({ kind: 'event', event: event('a') }, 10)
  queue.push({ kind: 'event', event: event('b') }, 10)
  assert.deepEqual(await queue.next(LONG_MS, never), { kind: 'event', event: event('a') })
  assert.deepEqual(await queue.next(LONG_MS, never), { kind: 'event', event: event('b') })
})

test('a consumer that is too slow gets one gap instead of what it did not take', async () => {
  const queue = createEventQueue(100)
  for (let index = 0; index < 1000; index += 1) queue.push({ kind: 'event', event: event('a') }, 30)
  assert.deepEqual(await queue.next(LONG_MS, never), { kind: 'gap' })
  let waiting = 0
  while ((await queue.next(0, never)) !== undefined) waiting += 1
  assert.ok(waiting <= 3, `${waiting} events waited`)
})

test('an event larger than the bound is taken when nothing else waits', async () => {
  const queue = createEventQueue(10)
  queue.push({ kind: 'event', event: event('a') }, 1000)
  assert.deepEqual(await queue.next(LONG_MS, never), { kind: 'event', event: event('a') })
})

test('what waits is given out before the loss of the engine', async () => {
  const queue = createEventQueue(100)
  queue.push({ kind: 'event', event: event('a') }, 1)
  queue.lose(new ExecutorError('ENGINE_LOST', 'gone'))
  assert.deepEqual(await queue.next(LONG_MS, never), { kind: 'event', event: event('a') })
  assert.equal(await queue.next(LONG_MS, never), undefined)
  assert.equal(queue.gone()?.code, 'ENGINE_LOST')
})

test('a waiting consumer hears of an abort', async () => {
  const leaving = new AbortController()
  const waiting = createEventQueue(100).next(LONG_MS, leaving.signal)
  leaving.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
})

test('a run gets the events of its session, of the sessions below it and of its directory, and no others', async () => {
  const hub = createEventHub(1000)
  const mine = hub.subscribe({ sessionId: 'mine', directory: '/mine' })
  const other = hub.subscribe({ sessionId: 'other', directory: '/other' })
  const file = { type: 'file', path: '/mine/a', change: 'modified', seenBy: 'tool' } as const
  const told: EngineEvent[] = [
    event('mine'),
    { type: 'session', sessionId: 'child', parentId: 'mine' },
    { type: 'session', sessionId: 'grandchild', parentId: 'child' },
    event('grandchild'),
    { ...file, directory: '/mine' },
  ]
  for (const one of [...told, event('stranger'), { ...file, directory: '/third' } as const]) hub.deliver(one, 1)
  for (const one of told) assert.deepEqual(await mine.next(LONG_MS, never), { kind: 'event', event: one })
  assert.equal(await mine.next(0, never), undefined)
  assert.equal(await other.next(0, never), undefined)
})
