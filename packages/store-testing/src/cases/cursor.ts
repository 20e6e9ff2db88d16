import assert from 'node:assert/strict'
import { getSession, noon, page, session, startRun, roomy, text, texts, times } from '../fixtures.ts'
import { group } from '../harness.ts'

export const cursor = group('a cursor', {
  async 'stands before the next event, so that pages join without a seam'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const written = times(25, String)
    await store.append(fence, written.map(text), noon + 20)
    const { lastSeq } = await getSession(store, 's1')
    const seen: number[] = []
    while (seen.length < lastSeq) {
      const events = await page(store, 's1', seen.length, 7)
      assert.equal(events.length, Math.min(7, lastSeq - seen.length))
      seen.push(...events.map(({ seq }) => seq))
    }
    assert.deepEqual(
      seen,
      times(lastSeq, (index) => index + 1),
    )
  },

  async 'at the end gives an empty page, beyond it the answer is ahead'({ store }) {
    await startRun(store, 'r1', 's1')
    const { lastSeq } = await getSession(store, 's1')
    const atEnd = await store.readEvents({ sessionId: 's1', after: lastSeq, limit: 10 })
    assert.deepEqual(atEnd, { status: 'ok', events: [], firstSeq: 1, lastSeq })
    const beyond = await store.readEvents({ sessionId: 's1', after: lastSeq + 1, limit: 10 })
    assert.deepEqual(beyond, { status: 'ahead', lastSeq })
  },

  async 'of an empty log is 0'({ store }) {
    await store.createSession(session('s1'), undefined, roomy)
    const result = await store.readEvents({ sessionId: 's1', after: 0, limit: 10 })
    assert.deepEqual(result, { status: 'ok', events: [], firstSeq: 1, lastSeq: 0 })
  },

  async 'of a session that nobody knows is not found'({ store }) {
    assert.deepEqual(await store.readEvents({ sessionId: 's1', after: 0, limit: 10 }), { status: 'not_found' })
  },

  async 'gives no more bytes than asked for, but always an event'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const { lastSeq: after } = await getSession(store, 's1')
    // Two bytes a character: the bound is in bytes, not in characters.
    await store.append(
      fence,
      ['ä', 'ö', 'ü'].map((letter) => text(letter.repeat(1_000))),
      noon + 20,
    )
    const read = async (maxBytes: number): Promise<number> => {
      const result = await store.readEvents({ sessionId: 's1', after, limit: 10, maxBytes })
      assert.equal(result.status, 'ok')
      return texts(result.events).length
    }
    assert.equal(await read(1), 1)
    assert.equal(await read(3_900), 1)
    assert.equal(await read(4_500), 2)
    assert.equal(await read(100_000), 3)
  },
})
