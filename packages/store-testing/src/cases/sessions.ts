import type { RunState, Store, WireStatus } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import {
  addRun,
  claimed,
  endedRun,
  ending,
  endRun,
  fenceOf,
  getRun,
  getSession,
  noon,
  queueRun,
  roomy,
  session,
  startRun,
  times,
} from '../fixtures.ts'
import { group } from '../harness.ts'

const ref = { executor: 'server', session: 'ses_1' }
const atWaiting = { tenant: 'acme', status: 'waiting_input', limit: 10 } as const

/** The run that the session shows, and its state. */
async function shown(store: Store): Promise<[string | undefined, WireStatus]> {
  const { currentRunId, status } = await getSession(store, 's1')
  return [currentRunId, status]
}

export const sessions = group('a session', {
  async 'shows the state of its run under its wire name'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    assert.deepEqual(await shown(store), ['r1', 'pending'])
    for (const state of ['running', 'waiting_input', 'running'] satisfies RunState[]) {
      await store.append(fence, [], noon + 20, { state })
      assert.deepEqual(await shown(store), ['r1', state])
      assert.equal((await getRun(store, 'r1')).state, state)
    }
    await endRun(store, fence)
    assert.deepEqual(await shown(store), ['r1', 'completed'])
  },

  async 'shows the run at work, not those behind it, then the next, and at last the latest'({ store }) {
    const first = await startRun(store, 'r1', 's1')
    await store.append(first, [], noon + 20, { state: 'running' })
    const [, last] = [await addRun(store, 'r2', 's1'), await addRun(store, 'r3', 's1')]
    assert.deepEqual(await shown(store), ['r1', 'running'])
    await store.append(first, [], noon + 30, { state: 'waiting_input' })
    assert.deepEqual(await shown(store), ['r1', 'waiting_input'])
    assert.deepEqual(
      (await store.listSessions(atWaiting)).map(({ sessionId }) => sessionId),
      ['s1'],
    )
    const cancelled = ending('cancelled', noon + 40)
    await store.append(fenceOf(last), [cancelled.event], noon + 40, cancelled.patch)
    assert.deepEqual(await shown(store), ['r1', 'waiting_input'])
    await endRun(store, first)
    assert.deepEqual(await shown(store), ['r2', 'pending'])
    await endRun(store, await claimed(store, 'r2'))
    assert.deepEqual(await shown(store), ['r3', 'cancelled'])
    await addRun(store, 'r4', 's1')
    assert.deepEqual(await shown(store), ['r4', 'pending'])
  },

  async 'has a run whose patches change what they name and nothing else'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    const before = await getRun(store, 'r1')
    await store.append(fence, [], noon + 20, { progress: 40, currentTool: 'bash', promptedAt: noon + 20 })
    const patched = { ...before, progress: 40, currentTool: 'bash', promptedAt: noon + 20 }
    assert.deepEqual(await getRun(store, 'r1'), patched)
    await store.append(fence, [], noon + 30, { leaseUntil: noon + 99_000 })
    assert.deepEqual(await getRun(store, 'r1'), { ...patched, leaseUntil: noon + 99_000 })
    await store.append(fence, [], noon + 30, { currentTool: null })
    assert.equal((await getRun(store, 'r1')).currentTool, undefined)
  },

  async 'keeps what its workspace begins with, apart from its row'({ store }) {
    const fill = { repository: { url: 'https://host/a/b.git', branch: 'main' }, files: { 'a/b.txt': 'text' } }
    await store.createSession(session('s1', { fill }), undefined, roomy)
    await store.createSession(session('s2'), undefined, roomy)
    assert.deepEqual(await store.getFill('s1'), fill)
    assert.ok(!('fill' in (await getSession(store, 's1'))))
    assert.equal(await store.getFill('s2'), undefined)
    assert.equal(await store.getFill('s3'), undefined)
  },

  async 'keeps credentials that its workspace begins with until it is closed'({ store }) {
    const repository = { url: 'https://host/a/b.git', branch: 'main' }
    const files = { 'a.txt': 'text' }
    const fill = { repository: { ...repository, sealedCredentials: 'v1.key.text' }, files }
    for (const id of ['s1', 's2']) await store.createSession(session(id, { fill }), undefined, roomy)
    await store.closeSession('s1', noon)
    assert.deepEqual(await store.getFill('s1'), { repository, files })
    assert.deepEqual(await store.getFill('s2'), fill)
  },

  async 'may hold something until its release, and again from a later ref'({ store }) {
    await store.createSession(session('s1'), undefined, roomy)
    await store.createSession(session('s2'), undefined, roomy)
    const held = async (): Promise<string[]> => (await store.listHeld(10)).map(({ sessionId }) => sessionId)
    // Its workspace may have been filled before it was opened.
    assert.deepEqual(await held(), ['s1', 's2'])
    await store.setRef('s1', ref)
    assert.deepEqual((await getSession(store, 's1')).ref, ref)
    assert.deepEqual(await held(), ['s1', 's2'])
    await store.setReleased('s1', noon + 50)
    assert.equal((await getSession(store, 's1')).releasedAt, noon + 50)
    assert.deepEqual(await held(), ['s2'])
    await store.setRef('s1', { ...ref, session: 'ses_2' })
    assert.deepEqual(await held(), ['s1', 's2'])
    assert.equal((await getSession(store, 's1')).releasedAt, undefined)
  },

  async 'that is made with a ref holds something from the beginning'({ store }) {
    await store.createSession(session('s1', { ref }), undefined, roomy)
    assert.deepEqual((await getSession(store, 's1')).ref, ref)
    assert.deepEqual(
      (await store.listHeld(10)).map(({ sessionId }) => sessionId),
      ['s1'],
    )
  },

  async 'is closed and released once: the first time stays'({ store }) {
    await store.createSession(session('s1'), undefined, roomy)
    for (const at of [noon + 10, noon + 20]) {
      await store.closeSession('s1', at)
      await store.setReleased('s1', at)
    }
    const { closedAt, releasedAt } = await getSession(store, 's1')
    assert.deepEqual({ closedAt, releasedAt }, { closedAt: noon + 10, releasedAt: noon + 10 })
  },

  async 'must be there to be changed'({ store }) {
    const unknown = { code: 'SESSION_NOT_FOUND' }
    await assert.rejects(store.setRef('s9', ref), unknown)
    await assert.rejects(store.closeSession('s9', noon), unknown)
    await assert.rejects(store.setReleased('s9', noon), unknown)
    await assert.rejects(store.requestCancel('s9', noon), unknown)
  },

  async 'is undefined when it is not there, and so is a run'({ store }) {
    assert.equal(await store.getSession('s9'), undefined)
    assert.equal(await store.getRun('r9'), undefined)
    assert.deepEqual(await store.listRuns('s9', 10), [])
  },

  async 'notes the wish to cancel on its open runs and names them, the oldest first'({ store }) {
    await endedRun(store, 'r0', 's1', noon + 50)
    for (const runId of ['r1', 'r2']) await addRun(store, runId, 's1')
    await queueRun(store, 'other', 's2')
    const wanted = await store.requestCancel('s1', noon + 60)
    assert.deepEqual(wanted, [await getRun(store, 'r1'), await getRun(store, 'r2')])
    assert.deepEqual(
      wanted.map(({ cancelRequestedAt }) => cancelRequestedAt),
      [noon + 60, noon + 60],
    )
    assert.equal((await getRun(store, 'r0')).cancelRequestedAt, undefined)
    assert.equal((await getRun(store, 'other')).cancelRequestedAt, undefined)
    const [again] = await store.requestCancel('s1', noon + 70)
    assert.equal(again?.cancelRequestedAt, noon + 60, 'the first wish stays')
  },

  async 'notes the wish to cancel one run on that run alone'({ store }) {
    await queueRun(store, 'r1', 's1')
    for (const runId of ['r2', 'r3']) await addRun(store, runId, 's1')
    await queueRun(store, 'other', 's2')
    assert.deepEqual(await store.requestCancel('s1', noon + 60, 'r2'), [await getRun(store, 'r2')])
    assert.deepEqual(await store.requestCancel('s1', noon + 60, 'other'), [])
    const marks = await Promise.all(['r1', 'r2', 'r3', 'other'].map((runId) => getRun(store, runId)))
    assert.deepEqual(
      marks.map(({ cancelRequestedAt }) => cancelRequestedAt),
      [undefined, noon + 60, undefined, undefined],
    )
  },

  async 'lists its latest runs, the oldest of them first'({ store }) {
    await queueRun(store, 'r0', 's1')
    for (const index of times(4, (index) => index + 1)) await addRun(store, `r${index}`, 's1')
    const ids = async (limit: number): Promise<string[]> =>
      (await store.listRuns('s1', limit)).map(({ runId }) => runId)
    assert.deepEqual(await ids(10), ['r0', 'r1', 'r2', 'r3', 'r4'])
    assert.deepEqual(await ids(2), ['r3', 'r4'])
  },
})
