import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createStartTurns } from '../src/engine/start-turns.ts'

const { signal } = new AbortController()

/** Takes turns and notes whose they were, in the order in which they began. */
function scene(max: number) {
  const turns = createStartTurns(max)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    end: (name: string) => ends.get(name)?.(),
    async take(name: string, options: Partial<Parameters<typeof turns.take>[1]> = {}): Promise<void> {
      const done = await turns.take(name.startsWith('warm') ? 'warm' : 'session', { signal, ...options })
      begun.push(name)
      ends.set(name, done)
    },
  }
}

test('sessions start in the order in which they came, and no more at once than may', async () => {
  const { begun, end, take } = scene(2)
  const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => take(name)))
  await setImmediate()
  assert.deepEqual(begun, ['a', 'b'])
  end('b')
  end('b')
  await setImmediate()
  assert.deepEqual(begun, ['a', 'b', 'c'], 'a turn that was given back twice is one')
  for (const name of ['a', 'c']) end(name)
  await all
  assert.deepEqual(begun, ['a', 'b', 'c', 'd', 'e'])
})

test('a container that is to wait for a session starts after all sessions, and leaves them a turn', async () => {
  const { begun, end, take } = scene(2)
  await take('warm-1')
  const waiting = take('warm-2')
  await take('a')
  const later = take('b')
  for (const name of ['warm-1', 'a']) end(name)
  await Promise.all([waiting, later])
  assert.deepEqual(begun, ['warm-1', 'a', 'b', 'warm-2'])
  for (const name of ['b', 'warm-2']) end(name)
  const one = scene(1)
  await one.take('warm-1')
  const queue = [one.take('warm-2'), one.take('c')]
  for (const name of ['warm-1', 'c']) {
    one.end(name)
    await setImmediate()
  }
  await Promise.all(queue)
  assert.deepEqual(one.begun, ['warm-1', 'c', 'warm-2'])
})

test('who does not want to wait any more leaves the others their turns, and each is told when it waits', async () => {
  const { begun, end, take } = scene(1)
  const told: string[] = []
  const onWaiting = (waiting: boolean) => void told.push(waiting ? 'waits' : 'waits no more')
  await take('a', { onWaiting })
  assert.deepEqual(told, [])
  const leaving = new AbortController()
  const left = assert.rejects(take('b', { signal: leaving.signal, onWaiting }), /not wanted/)
  const next = take('c')
  leaving.abort(new Error('not wanted'))
  await left
  assert.deepEqual(told, ['waits', 'waits no more'])
  end('a')
  await next
  assert.deepEqual(begun, ['a', 'c'])
  await assert.rejects(take('d', { signal: leaving.signal }), /not wanted/)
})
