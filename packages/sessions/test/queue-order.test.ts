import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextRun } from '../src/queue/queue-order.ts'

const queued = (runId: string, tenant: string, createdAt: number, sessionId = `s-${runId}`) => ({
  runId,
  tenant,
  createdAt,
  sessionId,
})

test('the run that has waited longest is next', () => {
  assert.equal(nextRun([queued('b', 't', 2), queued('a', 't', 1)], [])?.runId, 'a')
})

test('a tenant with one run does not wait behind the thousand runs of another', () => {
  const flood = Array.from({ length: 1000 }, (_, i) => queued(`flood-${i}`, 'loud', i))
  const active = [{ tenant: 'loud', sessionId: 'x' }]
  assert.equal(nextRun([...flood, queued('single', 'quiet', 5000)], active)?.runId, 'single')
})

test('a session that is at work is passed over', () => {
  const active = [{ tenant: 't', sessionId: 'busy' }]
  assert.equal(nextRun([queued('a', 't', 1, 'busy'), queued('b', 't', 2)], active)?.runId, 'b')
})

test('nothing is next when nothing can be', () => {
  assert.equal(nextRun([queued('a', 't', 1, 'busy')], [{ tenant: 't', sessionId: 'busy' }]), undefined)
})
