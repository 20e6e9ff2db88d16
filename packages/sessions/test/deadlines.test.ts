import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextDeadline } from '../src/run/deadlines.ts'
import { modelTrouble } from '../src/run/model-limits.ts'
import { noUsage } from '../src/run/verdict.ts'

const state = { startedAt: 1_000, lastEventAt: 1_000, waiting: false, wallMs: 10_000, idleMs: 3_000 }

test('silence ends a run before its wall limit does', () => {
  assert.deepEqual(nextDeadline(state, 2_000), { expiry: 'idle_timeout', inMs: 2_000 })
})

test('events move the idle limit but not the wall limit', () => {
  assert.deepEqual(nextDeadline({ ...state, lastEventAt: 9_000 }, 9_500), { expiry: 'run_timeout', inMs: 1_500 })
})

test('while an ask waits only the wall limit counts', () => {
  assert.deepEqual(nextDeadline({ ...state, waiting: true }, 8_000), { expiry: 'run_timeout', inMs: 3_000 })
})

test('a limit that has passed is due now', () => {
  assert.equal(nextDeadline(state, 50_000).inMs, 0)
})

test('more model calls than a run may make are a loop', () => {
  const usage = (model_calls: number) => ({ type: 'usage', data: { ...noUsage, model_calls } }) as const
  const limits = { maxModelCalls: 3, remainingMs: 1_000 }
  assert.equal(modelTrouble(usage(3), limits, 0), undefined)
  assert.deepEqual(modelTrouble(usage(4), limits, 0), { kind: 'model_loop', calls: 4, limit: 3 })
})

test('a provider that asks to wait longer than the run has left is not waited for', () => {
  const retry = {
    type: 'retry',
    data: { attempt: 1, message: 'slow down', next_at: new Date(60_000).toISOString() },
  } as const
  assert.equal(modelTrouble(retry, { maxModelCalls: 3, remainingMs: 60_000 }, 0), undefined)
  assert.equal(modelTrouble(retry, { maxModelCalls: 3, remainingMs: 59_999 }, 0)?.kind, 'provider_wait')
})
