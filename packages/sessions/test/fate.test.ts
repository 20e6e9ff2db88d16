import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunRow } from '@opencode-gateway/contracts'
import { decideFate, maxAttempts } from '../src/upkeep/fate.ts'

const run = (more: Partial<RunRow>): RunRow => ({
  runId: 'r',
  sessionId: 's',
  tenant: 't',
  input: { kind: 'prompt', runId: 'r', prompt: 'x' },
  state: 'starting',
  epoch: 1,
  owner: 'gone',
  leaseUntil: 0,
  attempts: 1,
  limits: { wallMs: 1, idleMs: 1, askMs: 1, modelCalls: 1 },
  requestId: 'q',
  createdAt: 0,
  claimedAt: 0,
  promptedAt: undefined,
  endedAt: undefined,
  cancelRequestedAt: undefined,
  progress: 0,
  currentTool: undefined,
  asks: [],
  complete: undefined,
  ...more,
})

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
