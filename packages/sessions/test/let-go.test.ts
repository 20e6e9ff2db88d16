import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PendingAsk } from '@opencode-gateway/contracts'
import { createAsks } from '../src/run/asks.ts'
import { startDeadlines } from '../src/run/deadlines.ts'

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
const unexpected = (): void => assert.fail('nothing is to be told')

test('the limits of a run that has ended are not set anew when the last of its asks has its answer', () => {
  const before = timers()
  const deadlines = startDeadlines({ startedAt: Date.now(), wallMs: 60_000, idleMs: 60_000 }, unexpected)
  deadlines.setWaiting(true)
  deadlines[Symbol.dispose]()
  deadlines.setWaiting(false)
  assert.equal(timers(), before)
})

test('an ask whose run ends while its answer is handed over waits no longer', async () => {
  const before = timers()
  const handing = Promise.withResolvers<void>()
  const ask: PendingAsk = {
    askId: 'ask',
    expiresAt: Date.now() + 60_000,
    data: { ask_id: 'ask', kind: 'question', questions: [], expires_at: '' },
  }
  const asks = createAsks({
    timeoutMs: 60_000,
    open: [ask],
    history: [],
    deliver: () => handing.promise,
    onResolved: unexpected,
    onUndeliverable: unexpected,
  })
  const answered = assert.rejects(asks.answer('ask', { answers: [] }), /has gone/)
  asks[Symbol.dispose]()
  handing.reject(new Error('the agent has gone'))
  await answered
  assert.equal(timers(), before)
})
