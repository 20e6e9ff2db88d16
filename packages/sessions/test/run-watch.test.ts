import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunRow } from '@opencode-gateway/contracts'
import { createRunWatch } from '../src/run/run-watch.ts'

const run = { createdAt: 1_000, claimedAt: 2_000, promptedAt: undefined } as RunRow

test('the steps in which an engine came up are in the times of the run that waited for it', () => {
  const watch = createRunWatch(run)
  watch.booted({ beganAt: 2_000, waitMs: 7, pullMs: 8, createMs: 10, startMs: 200, engineReadyMs: 1_500 })
  const { queued_ms: _queued, total_ms: _total, ...boot } = watch.timings(5_000)
  assert.deepEqual(boot, { wait_ms: 7, pull_ms: 8, create_ms: 10, start_ms: 200, engine_ready_ms: 1_500 })
})

test('a run in an engine that had come up before has no such steps', () => {
  const watch = createRunWatch(run)
  watch.booted({ beganAt: 1_999, createMs: 10, startMs: 200, engineReadyMs: 1_500 })
  watch.booted(undefined)
  assert.deepEqual(watch.timings(5_000), { queued_ms: 1_000, total_ms: 4_000 })
})
