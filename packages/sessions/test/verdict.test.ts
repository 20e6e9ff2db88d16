import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError, type RunOutcome } from '@opencode-gateway/contracts'
import type { Ending, Stop } from '../src/run/ending.ts'
import { decideComplete, noUsage } from '../src/run/verdict.ts'

const outcome = (status: RunOutcome['status'], more: Partial<RunOutcome> = {}): Ending => ({
  kind: 'outcome',
  outcome: {
    status,
    finalMessage: 'said',
    usage: noUsage,
    evidence: { checks: [], checked_at: '2026-01-01T00:00:00.000Z' },
    ...more,
  },
})

function decide(
  ending: Ending,
  stop?: Stop['kind'] & ('cancel' | 'run_timeout' | 'start_timeout' | 'idle_timeout'),
  prompted = true,
) {
  return decideComplete({
    ending,
    stop: stop && { kind: stop },
    receipt: undefined,
    limits: { wallMs: 300_000, startMs: 60_000, idleMs: 600_000 },
    prompted,
    filesModified: [],
    timings: { queued_ms: 0, total_ms: 1 },
  })
}

test('a proven completion stands even when a stop was under way', () => {
  for (const stop of [undefined, 'cancel', 'run_timeout'] as const) {
    const complete = decide(outcome('completed'), stop)
    assert.deepEqual([complete.outcome, complete.success, complete.error], ['completed', true, undefined])
  }
})

test('a stop names the outcome of what had not completed', () => {
  for (const ending of [outcome('cancelled'), outcome('failed'), { kind: 'stopped' } as const]) {
    assert.equal(decide(ending, 'cancel').outcome, 'cancelled')
    assert.equal(decide(ending, 'run_timeout').outcome, 'timed_out')
    assert.equal(decide(ending, 'run_timeout').error?.code, 'RUN_TIMEOUT')
    assert.equal(decide(ending, 'start_timeout').error?.code, 'START_TIMEOUT')
    assert.equal(decide(ending, 'idle_timeout').error?.code, 'IDLE_TIMEOUT')
  }
})

test('an abort that nobody here asked for is an interruption, not a cancellation', () => {
  assert.equal(decide(outcome('cancelled')).outcome, 'interrupted')
})

test('a failure carries the code of the executor', () => {
  const error = { code: 'MODEL_AUTH', message: 'refused', retryable: false } as const
  assert.deepEqual(decide(outcome('failed', { error })).error, error)
  assert.equal(
    decide({ kind: 'error', error: new GatewayError('ENGINE_INCOMPATIBLE', 'V2') }).error?.code,
    'ENGINE_INCOMPATIBLE',
  )
})

test('an interrupted run says whether it may have had side effects', () => {
  assert.equal(decide({ kind: 'stopped' }, undefined, true).side_effects, 'possible')
  assert.equal(decide({ kind: 'stopped' }, undefined, false).side_effects, 'none')
})

test('what was delivered is told, and what could not be delivered fails the run and keeps its workspace', () => {
  const common = {
    ending: outcome('completed'),
    receipt: undefined,
    limits: { wallMs: 300_000, startMs: 60_000, idleMs: 600_000 },
    prompted: true,
    filesModified: [],
    timings: { queued_ms: 0, total_ms: 1 },
  }
  const delivered = { branch: 'robot/work', baseCommit: 'a'.repeat(40), commit: 'b'.repeat(40), pushed: true }
  const done = decideComplete({ ...common, stop: undefined, delivery: { delivered } })
  assert.deepEqual(
    [done.outcome, done.branch, done.commit, done.pushed],
    ['completed', 'robot/work', delivered.commit, true],
  )
  assert.equal(done.workspace_kept, undefined)

  const error = new GatewayError('PUSH_REJECTED', 'the branch is there already')
  const failed = decideComplete({ ...common, stop: undefined, delivery: { error } })
  assert.deepEqual([failed.outcome, failed.error?.code, failed.workspace_kept], ['failed', 'PUSH_REJECTED', true])
  assert.equal(failed.final_message, 'said')

  const cancelled = decideComplete({ ...common, stop: { kind: 'cancel' }, delivery: { error } })
  assert.deepEqual([cancelled.outcome, cancelled.workspace_kept], ['cancelled', undefined])
})
