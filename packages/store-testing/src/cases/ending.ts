import { terminalStates, type EventBody, type RunPatch } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import {
  claim,
  complete,
  ending,
  endRun,
  fenceOf,
  getRun,
  getSession,
  noon,
  page,
  queueRun,
  run,
  startRun,
  text,
} from '../fixtures.ts'
import { group } from '../harness.ts'

export const endings = group('the end of a run', {
  async 'comes once, whoever else wants to end it'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const endings = terminalStates.map((outcome) => ending(outcome))
    const writes = endings.map(({ event, patch }) => store.append(fence, [event], noon + 100, patch))
    const results = await Promise.allSettled(writes)
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    const completes = (await page(store, 's1')).filter(({ type }) => type === 'complete')
    const row = await getRun(store, 'r1')
    assert.deepEqual(
      completes.map(({ data }) => data),
      [row.complete],
    )
    assert.equal(row.complete?.outcome, row.state)
    assert.equal(row.endedAt, noon + 100)
  },

  async 'is final: no claim, no adoption, no other state'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await endRun(store, fence)
    const ended = await getRun(store, 'r1')
    assert.equal(await store.claimRun('r1', claim), undefined)
    assert.equal(await store.adoptRun('r1', claim), undefined)
    await assert.rejects(store.append(fence, [], noon + 200, { state: 'running' }))
    const { event, patch } = ending('failed', noon + 200)
    await assert.rejects(store.append(fence, [event], noon + 200, patch))
    assert.deepEqual(await getRun(store, 'r1'), ended)
    assert.equal((await page(store, 's1')).at(-1)?.type, 'complete')
  },

  async 'shows on the session'({ store }) {
    for (const [index, outcome] of terminalStates.entries()) {
      const fence = await startRun(store, `r${index}`, `s${index}`)
      const { event, patch } = ending(outcome)
      await store.append(fence, [text('last words'), event], noon + 100, patch)
      const { status, openRuns, currentRunId } = await getSession(store, `s${index}`)
      assert.deepEqual({ status, openRuns, currentRunId }, { status: outcome, openRuns: 0, currentRunId: `r${index}` })
    }
  },

  async 'can come while it is still queued'({ store }) {
    await queueRun(store, 'r1', 's1')
    const { event, patch } = ending('cancelled')
    await store.append(fenceOf(await getRun(store, 'r1')), [event], noon + 100, patch)
    assert.equal(await store.claimRun('r1', claim), undefined)
    assert.equal(await store.queuePosition('r1'), undefined)
    assert.equal((await getSession(store, 's1')).status, 'cancelled')
  },

  async 'makes room in the queue when it was queued'({ store }) {
    await queueRun(store, 'r1', 's1')
    const { event, patch } = ending('cancelled')
    await store.append(fenceOf(await getRun(store, 'r1')), [event], noon + 100, patch)
    const narrow = { maxQueued: 1, rejectWhenBusy: false }
    assert.equal((await store.addRun(run('r2', 's1'), narrow)).status, 'created')
    assert.deepEqual(await store.addRun(run('r3', 's1'), narrow), { status: 'queue_full', queued: 1 })
  },

  async 'is refused without its event, its time or its verdict, and an event without its state'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const before = { log: await page(store, 's1'), run: await getRun(store, 'r1') }
    const { event } = ending('completed')
    const verdict = complete('completed')
    const wrong: [EventBody[], RunPatch][] = [
      [[event], { state: 'completed' }],
      [[event], { state: 'completed', complete: verdict }],
      [[event], { state: 'completed', endedAt: noon }],
      [[], { state: 'completed', complete: verdict, endedAt: noon }],
      [[event, text('after')], { state: 'completed', complete: verdict, endedAt: noon }],
      [[event, event], { state: 'completed', complete: verdict, endedAt: noon }],
      [[event], { state: 'running' }],
      [[event], {}],
      [[], { complete: verdict, endedAt: noon }],
    ]
    for (const [events, patch] of wrong) await assert.rejects(store.append(fence, events, noon + 100, patch))
    assert.deepEqual({ log: await page(store, 's1'), run: await getRun(store, 'r1') }, before)
  },
})
