import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDoorbell } from '../src/waiting/doorbell.ts'

const never = new AbortController().signal

test('a ring wakes everybody who listens to the key, and nobody else', async () => {
  const doorbell = createDoorbell()
  using first = doorbell.listen('a')
  using second = doorbell.listen('a')
  using other = doorbell.listen('b')
  let otherHeard = false
  const leave = new AbortController()
  const waiting = other.heard(leave.signal).then(() => (otherHeard = !leave.signal.aborted))
  const both = Promise.all([first.heard(never), second.heard(never)])
  doorbell.ring('a')
  await both
  leave.abort()
  await waiting
  assert.equal(otherHeard, false)
})

test('a ring between two waits is not lost', async () => {
  const doorbell = createDoorbell()
  using bell = doorbell.listen('a')
  doorbell.ring('a')
  await bell.heard(never)
})

test('an abort ends the wait', async () => {
  const doorbell = createDoorbell()
  using bell = doorbell.listen('a')
  await bell.heard(AbortSignal.abort())
})

test('nothing is kept for a key that nobody listens to any more', () => {
  const doorbell = createDoorbell()
  {
    using _first = doorbell.listen('a')
    using _second = doorbell.listen('a')
    assert.equal(doorbell.size(), 1)
  }
  assert.equal(doorbell.size(), 0)
})
