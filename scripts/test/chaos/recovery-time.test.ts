import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recoveryTimes } from '../../chaos/lib/recovery-time.ts'
import { frame, soundSession } from './facts.ts'

const crash = { killedAt: 100, listeningAt: 200 }

function sessionWith(times: { createdAt: number; sentAt: number; endedAt: number }) {
  const log = [
    frame(1, 'status', { status: 'pending' }, times.createdAt),
    frame(2, 'status', { status: 'running' }, times.sentAt),
    frame(3, 'complete', { outcome: 'interrupted', final_message: '' }, times.endedAt),
  ]
  return { ...soundSession, log }
}

test('recovery takes as long as the last run that was open when the gateway was killed', () => {
  const sessions = [
    sessionWith({ createdAt: 10, sentAt: 20, endedAt: 250 }),
    sessionWith({ createdAt: 10, sentAt: 90, endedAt: 300 }),
    sessionWith({ createdAt: 10, sentAt: 210, endedAt: 900 }),
  ]
  assert.deepEqual(recoveryTimes(sessions, crash), { runs: 3, sentMs: 100, allMs: 700 })
})

test('runs that were over before the kill, or came after it, do not count', () => {
  const sessions = [
    sessionWith({ createdAt: 10, sentAt: 20, endedAt: 90 }),
    sessionWith({ createdAt: 150, sentAt: 210, endedAt: 220 }),
  ]
  assert.deepEqual(recoveryTimes(sessions, crash), { runs: 0, sentMs: undefined, allMs: undefined })
})
