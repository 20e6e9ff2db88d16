import type { SessionQuery, SessionRow, Store } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { claimed, noon, roomy, run, session, times } from '../fixtures.ts'
import { group } from '../harness.ts'

type Filter = Omit<SessionQuery, 'tenant' | 'limit' | 'before'>

const ids = (rows: readonly SessionRow[]): string[] => rows.map(({ sessionId }) => sessionId)

/** All pages of a list, each begun where the one before ended. */
async function pages(store: Store, filter: Filter, limit: number): Promise<string[]> {
  const seen: string[] = []
  let before: SessionQuery['before']
  for (;;) {
    const rows = await store.listSessions({ tenant: 'acme', limit, ...filter, ...(before && { before }) })
    assert.ok(rows.length <= limit, 'a page is no longer than asked for')
    seen.push(...ids(rows))
    assert.ok(seen.length <= 100, 'the pages come to an end')
    before = rows.at(-1)
    if (!before) return seen
  }
}

export const lists = group('a list of sessions', {
  async 'begins with the newest and has each once, however it is cut into pages'({ store }) {
    // Three of each time: the page must not end by the time alone.
    const all = times(12, (index) => session(`s${index}`, { createdAt: noon + Math.floor(index / 3) }))
    for (const wanted of all) await store.createSession(wanted, undefined, roomy)
    const expected = all
      .toSorted((a, b) => b.createdAt - a.createdAt || (a.sessionId < b.sessionId ? 1 : -1))
      .map(({ sessionId }) => sessionId)
    for (const limit of [1, 2, 5, 12, 100]) assert.deepEqual(await pages(store, {}, limit), expected)
  },

  async 'has the rows that a single read has'({ store }) {
    await store.createSession(session('s1', { labels: { a: 'b' } }), run('r1', 's1'), roomy)
    const [row] = await store.listSessions({ tenant: 'acme', limit: 1 })
    assert.deepEqual(row, await store.getSession('s1'))
  },

  async 'shows a tenant its own, with every filter'({ store }) {
    const labels = { a: 'b' }
    await store.createSession(session('mine', { labels }), undefined, roomy)
    await store.createSession(session('other', { labels, tenant: 'other' }), undefined, roomy)
    const label = { name: 'a', value: 'b' }
    const filters: Filter[] = [{}, { status: 'idle' }, { executor: 'server' }, { label }, { label, status: 'idle' }]
    for (const filter of filters) {
      assert.deepEqual(ids(await store.listSessions({ tenant: 'acme', limit: 10, ...filter })), ['mine'])
      assert.deepEqual(ids(await store.listSessions({ tenant: 'nobody', limit: 10, ...filter })), [])
    }
  },

  async 'is filtered by status, executor and label, alone and together'({ store }) {
    const strange = { 'a "b" \' $.c': 'ü=1', team: 'blue' }
    for (const index of times(8, (index) => index)) {
      const executor = index % 2 ? 'docker' : 'server'
      const wanted = session(`s${index}`, { executor, labels: index < 6 ? strange : { team: 'red' } })
      await store.createSession(wanted, index % 4 < 2 ? run(`r${index}`, `s${index}`) : undefined, roomy)
    }
    const label = { name: 'a "b" \' $.c', value: 'ü=1' }
    const expected: [Filter, string[]][] = [
      [{ status: 'pending' }, ['s5', 's4', 's1', 's0']],
      [{ status: 'idle' }, ['s7', 's6', 's3', 's2']],
      [{ executor: 'docker' }, ['s7', 's5', 's3', 's1']],
      [{ label }, ['s5', 's4', 's3', 's2', 's1', 's0']],
      [{ label: { name: 'team', value: 'red' } }, ['s7', 's6']],
      [{ label: { ...label, value: 'blue' } }, []],
      [{ status: 'pending', executor: 'docker' }, ['s5', 's1']],
      [{ status: 'pending', executor: 'docker', label }, ['s5', 's1']],
      [{ status: 'idle', label }, ['s3', 's2']],
    ]
    for (const [filter, wanted] of expected) {
      for (const limit of [1, 10]) assert.deepEqual(await pages(store, filter, limit), wanted)
    }
  },

  async 'follows a status that changes'({ store }) {
    await store.createSession(session('s1'), run('r1', 's1'), roomy)
    const fence = await claimed(store, 'r1')
    await store.append(fence, [], noon + 20, { state: 'running' })
    assert.deepEqual(await pages(store, { status: 'running' }, 10), ['s1'])
    assert.deepEqual(await pages(store, { status: 'pending' }, 10), [])
  },

  async 'that hold something begins with the oldest and goes on after one of them'({ store }) {
    const all = times(7, (index) => session(`s${index}`, { createdAt: noon + Math.floor(index / 3) }))
    for (const wanted of all.toReversed()) {
      await store.createSession(wanted, undefined, roomy)
      await store.setRef(wanted.sessionId, { executor: 'server' })
    }
    const seen: string[] = []
    let after: SessionRow | undefined
    do {
      const rows = await store.listHeld(2, after)
      assert.ok(rows.length <= 2)
      seen.push(...ids(rows))
      assert.ok(seen.length <= all.length, 'the pages come to an end')
      after = rows.at(-1)
    } while (after)
    assert.deepEqual(
      seen,
      all.map(({ sessionId }) => sessionId),
    )
  },

  async 'and every other list take no limit that is none'({ store }) {
    for (const index of [1, 2]) await store.createSession(session(`s${index}`), run(`r${index}`, `s${index}`), roomy)
    for (const limit of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(store.listSessions({ tenant: 'acme', limit }))
      await assert.rejects(store.listRuns('s1', limit))
      await assert.rejects(store.listOpenRuns(limit))
      await assert.rejects(store.listQueued(limit))
      await assert.rejects(store.listHeld(limit))
      await assert.rejects(store.readEvents({ sessionId: 's1', after: 0, limit }))
      await assert.rejects(store.expire(noon, noon, limit))
    }
    assert.deepEqual(await store.listQueued(0), [])
  },
})
