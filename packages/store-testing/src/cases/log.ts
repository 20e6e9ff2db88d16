import type { EventBody } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { assertDense, getRun, getSession, noon, page, startRun, text, texts, times } from '../fixtures.ts'
import { group } from '../harness.ts'

export const log = group('the log', {
  async 'numbers the events of a batch in its order, after those that are there'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const { lastSeq } = await getSession(store, 's1')
    const result = await store.append(fence, ['a', 'b', 'c'].map(text), noon + 20)
    assert.deepEqual(result, { firstSeq: lastSeq + 1, lastSeq: lastSeq + 3 })
    const events = await page(store, 's1')
    assertDense(events)
    assert.deepEqual(texts(events), ['a', 'b', 'c'])
  },

  async 'gives every event its run and its time'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const { lastSeq } = await store.append(fence, [text('a')], noon + 20)
    const events = await page(store, 's1')
    assert.deepEqual(events.at(-1), { ...text('a'), seq: lastSeq, runId: 'r1', at: noon + 20 })
  },

  async 'has no gap and no duplicate after a hundred parallel batches'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const { lastSeq } = await getSession(store, 's1')
    const batches = times(100, (batch) => times(1 + (batch % 3), (index) => `${batch}.${index}`))
    const results = await Promise.all(batches.map((batch) => store.append(fence, batch.map(text), noon + 20)))
    const events = await page(store, 's1')
    assertDense(events)
    assert.equal(events.length, lastSeq + batches.flat().length)
    for (const [index, result] of results.entries()) {
      const batch = events.slice(result.firstSeq - 1, result.lastSeq)
      assert.deepEqual(texts(batch), batches[index], 'a batch stays together, in order')
    }
  },

  async 'keeps the numbers of each session apart'({ store }) {
    const fences = await Promise.all(times(5, (index) => startRun(store, `r${index}`, `s${index}`)))
    const writes = times(10, (index) => fences.map((fence) => store.append(fence, [text(`${index}`)], noon + 20)))
    await Promise.all(writes.flat())
    for (const { sessionId } of fences) {
      const events = await page(store, sessionId)
      assertDense(events)
      assert.equal(texts(events).length, 10)
      assert.equal((await getSession(store, sessionId)).lastSeq, events.length)
    }
  },

  async 'applies a patch without events'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const { lastSeq } = await getSession(store, 's1')
    const result = await store.append(fence, [], noon + 20, { promptedAt: noon + 20 })
    assert.deepEqual(result, { firstSeq: lastSeq + 1, lastSeq })
    assert.equal((await getRun(store, 'r1')).promptedAt, noon + 20)
    assert.equal((await getSession(store, 's1')).lastSeq, lastSeq)
  },

  async 'moves the time of the last change on'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await store.append(fence, [text('a')], noon + 5_000)
    assert.equal((await getSession(store, 's1')).updatedAt, noon + 5_000)
  },

  async 'gives back any text and any JSON as it came'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const strange: EventBody[] = [
      text('grüße, 日本語, 👩‍👩‍👧‍👦, \u0000, \u2028, "quoted", back\\slash, line\r\nbreak, \ud800 alone'),
      { type: 'tool_call', data: { call_id: 'c', tool: 'bash', args: { deep: [{ x: [null, true, 1.5e-7, ''] }] } } },
      text("'; DROP TABLE events; --"),
      text(''),
    ]
    await store.append(fence, strange, noon + 20)
    const events = await page(store, 's1')
    assert.deepEqual(
      events.slice(-strange.length).map(({ type, data }) => ({ type, data })),
      strange,
    )
  },

  async 'takes an event of several megabytes'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const big = 'ü'.repeat(2_000_000)
    await store.append(fence, [text('before'), text(big), text('after')], noon + 20)
    assert.deepEqual(texts(await page(store, 's1')), ['before', big, 'after'])
  },
})
