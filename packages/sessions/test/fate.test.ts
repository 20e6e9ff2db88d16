import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideFate, maxAttempts } from '../src/upkeep/fate.ts'
import { runRow as run } from './run-row.ts'

test('a queued run stays in the queue', () => {
  assert.equal(decideFate(run({ state: 'queued' }), false), 'leave')
})

test('before the barrier a run starts again, but not for ever', () => {
  assert.equal(decideFate(run({}), false), 'requeue')
  assert.equal(decideFate(run({ attempts: maxAttempts }), false), 'interrupt')
})

test('after the barrier a run is resumed or interrupted, never started again', () => {
  const prompted = run({ state: 'running', promptedAt: 1 })
  assert.equal(decideFate(prompted, true), 'resume')
  assert.equal(decideFate(prompted, false), 'interrupt')
})

test('a run that was to be cancelled is cancelled', () => {
  assert.equal(decideFate(run({ state: 'queued', cancelRequestedAt: 1 }), false), 'cancel')
  assert.equal(decideFate(run({ cancelRequestedAt: 1 }), false), 'cancel')
  assert.equal(decideFate(run({ promptedAt: 1, cancelRequestedAt: 1 }), false), 'cancel')
})
