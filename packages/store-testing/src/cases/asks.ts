import type { EventBody, PendingAsk } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { claim, endRun, fenceOf, getRun, getSession, noon, startRun, text } from '../fixtures.ts'
import { group } from '../harness.ts'

const data = { ask_id: 'a1', kind: 'permission', expires_at: new Date(noon + 60_000).toISOString() } as const
const ask: PendingAsk = { askId: 'a1', expiresAt: noon + 60_000, data }
const asked: EventBody = { type: 'ask', data }

export const asks = group('asks that wait', {
  async 'stand on the run from the event on, through a new start, until they are taken off'(harness) {
    const fence = await startRun(harness.store, 'r1', 's1')
    await harness.store.append(fence, [asked], noon + 50, { state: 'waiting_input', asks: [ask] })
    assert.equal((await getSession(harness.store, 's1')).status, 'waiting_input')
    const store = await harness.reopen()
    assert.deepEqual((await getRun(store, 'r1')).asks, [ask])
    await store.adoptRun('r1', claim)
    await store.append(fenceOf(await getRun(store, 'r1')), [], noon + 60, { state: 'running', asks: [] })
    assert.deepEqual((await getRun(store, 'r1')).asks, [])
  },

  async 'are remembered in the log of their session, when they are over too'(harness) {
    const fence = await startRun(harness.store, 'r1', 's1')
    await startRun(harness.store, 'r2', 's2')
    assert.equal(await harness.store.wasAsked('s1', 'a1'), false)
    await harness.store.append(fence, [text('a1'), asked], noon + 50, { state: 'waiting_input', asks: [ask] })
    await endRun(harness.store, fence)
    const store = await harness.reopen()
    assert.equal(await store.wasAsked('s1', 'a1'), true)
    assert.equal(await store.wasAsked('s1', 'a2'), false)
    assert.equal(await store.wasAsked('s2', 'a1'), false)
    assert.equal(await store.wasAsked('s3', 'a1'), false)
  },

  async 'do not outlive the run'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await store.append(fence, [asked], noon + 50, { state: 'waiting_input', asks: [ask] })
    await endRun(store, fence)
    assert.deepEqual((await getRun(store, 'r1')).asks, [])
  },
})
