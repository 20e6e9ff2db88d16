import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pendingReason } from '../src/queue/pending-reason.ts'
import { runRow } from './run-row.ts'

const waiting = runRow({ runId: 'waiting', state: 'queued', attempts: 0 })
const alone = { runs: [waiting], isHeld: false }

test('a run that waits for a slot is queued, one that could not start is so again', () => {
  assert.equal(pendingReason(waiting, alone), 'queued')
  assert.equal(pendingReason({ ...waiting, attempts: 1 }, alone), 'requeued')
})

test('a run waits for those of its session that came before it and have not ended, and for whoever holds the session', () => {
  const working = runRow({ runId: 'working', state: 'running' })
  assert.equal(pendingReason(waiting, { runs: [working, waiting], isHeld: true }), 'session_busy')
  assert.equal(pendingReason(waiting, { runs: [waiting, working], isHeld: false }), 'queued')
  assert.equal(pendingReason(waiting, { ...alone, isHeld: true }), 'session_held')
})

test('a run that was given a slot is starting, and one that works waits for nothing', () => {
  assert.equal(pendingReason({ ...waiting, state: 'starting' }, { ...alone, isHeld: true }), 'starting')
  assert.equal(pendingReason({ ...waiting, state: 'running' }, alone), undefined)
})
