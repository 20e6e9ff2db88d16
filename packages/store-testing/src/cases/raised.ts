import { FencedError, type RaisedLimit, type Store } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { endRun, noon, startRun } from '../fixtures.ts'
import { group } from '../harness.ts'

const raise = (change: Partial<RaisedLimit> = {}): RaisedLimit => ({
  owner: 'day',
  id: 'acme',
  day: '2026-11-21',
  limit: 'calls',
  configured: 100,
  more: 10,
  ...change,
})
const ofSession = raise({ owner: 'session', id: 's1', day: '', limit: 'costUsd', configured: 0.5, more: 0.25 })
const answered = { type: 'status', data: { status: 'running' } } as const
const append = (store: Store, fence: Parameters<Store['append']>[0], ...raised: RaisedLimit[]) =>
  store.append(fence, [answered], noon, { raised })

export const raises = group('raised budgets', {
  async 'has what a budget was raised by, added up, after a crash'({ store, crash }) {
    const fence = await startRun(store, 'r1', 's1')
    await append(store, fence, raise(), raise({ limit: 'tokens', configured: 5, more: 7 }), ofSession)
    await append(store, fence, raise({ more: 5 }))
    const again = await crash()
    const found = await again.listRaised({ owner: 'day', id: 'acme' })
    const byLimit = found.toSorted((a, b) => (a.limit < b.limit ? -1 : 1))
    assert.deepEqual(byLimit, [raise({ more: 15 }), raise({ limit: 'tokens', configured: 5, more: 7 })])
    assert.deepEqual(await again.listRaised({ owner: 'session', id: 's1' }), [ofSession])
    assert.deepEqual(await again.listRaised({ owner: 'key', id: 'acme' }), [])
  },

  async 'begins anew on another day, and when another limit is set'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    for (const change of [
      { day: '2026-11-22', more: 3 },
      { day: '2026-11-22', configured: 50, more: 4 },
    ]) {
      await append(store, fence, raise())
      await append(store, fence, raise(change))
      assert.deepEqual(await store.listRaised({ owner: 'day', id: 'acme' }), [raise(change)])
    }
  },

  async 'raises nothing for a writer that is fenced off'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await assert.rejects(append(store, { ...fence, epoch: fence.epoch + 1 }, raise()), FencedError)
    assert.deepEqual(await store.listRaised({ owner: 'day', id: 'acme' }), [])
  },

  async 'forgets what a session was raised to with the session, and nothing else'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await append(store, fence, ofSession, raise(), { ...ofSession, id: 's2' }, { ...ofSession, owner: 'key' })
    await endRun(store, fence, noon)
    await store.closeSession('s1', noon)
    await store.setReleased('s1', noon)
    assert.equal((await store.forget(noon + 3_600_000, 1_000)).sessions, 1)
    const left = async (owner: RaisedLimit['owner'], id: string) => (await store.listRaised({ owner, id })).length
    assert.deepEqual(
      [await left('session', 's1'), await left('session', 's2'), await left('key', 's1'), await left('day', 'acme')],
      [0, 1, 1, 1],
    )
  },
})
