import { FencedError } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import {
  addRun,
  claim,
  claimed,
  endRun,
  fenceOf,
  getRun,
  noon,
  page,
  queueRun,
  roomy,
  run,
  session,
  startRun,
  times,
} from '../fixtures.ts'
import { group } from '../harness.ts'

export const queue = group('the queue', {
  async 'gives a claimed run its owner, its lease and a new epoch'({ store }) {
    await queueRun(store, 'r1', 's1')
    const queued = await getRun(store, 'r1')
    const row = await store.claimRun('r1', claim)
    const { owner, leaseUntil, at: claimedAt } = claim
    assert.deepEqual(row, { ...queued, state: 'starting', epoch: 1, attempts: 1, owner, leaseUntil, claimedAt })
    assert.deepEqual(await getRun(store, 'r1'), row)
    const { type, data, at } = (await page(store, 's1')).at(-1) ?? {}
    assert.deepEqual(
      { type, data, at },
      { type: 'status', data: { status: 'pending', reason: 'starting' }, at: claim.at },
    )
  },

  async 'gives nobody a run that is not queued or not there'({ store }) {
    await startRun(store, 'r1', 's1')
    assert.equal(await store.claimRun('r1', claim), undefined)
    assert.equal(await store.claimRun('r9', claim), undefined)
    assert.equal(await store.adoptRun('r9', claim), undefined)
    assert.equal((await getRun(store, 'r1')).epoch, 1)
  },

  async 'lets the runs of a session through one after the other'({ store }) {
    await queueRun(store, 'r1', 's1')
    await addRun(store, 'r2', 's1')
    assert.equal(await store.claimRun('r2', claim), undefined)
    const fence = await claimed(store, 'r1')
    assert.equal(await store.claimRun('r2', claim), undefined)
    await endRun(store, fence)
    assert.equal((await store.claimRun('r2', claim))?.runId, 'r2')
  },

  async 'lets no run through that is to be cancelled or whose session is closed'({ store }) {
    for (const index of [1, 2, 3]) await queueRun(store, `r${index}`, `s${index}`)
    await store.requestCancel('s1', noon + 10)
    await store.closeSession('s2', noon + 10)
    assert.equal(await store.claimRun('r1', claim), undefined)
    assert.equal(await store.claimRun('r2', claim), undefined)
    assert.deepEqual(
      (await store.listQueued(10)).map(({ runId }) => runId),
      ['r3'],
    )
  },

  async 'lists what can be claimed, the oldest first, one a session, so many as asked for'({ store }) {
    for (const index of times(5, (index) => index)) {
      await queueRun(store, `r${index}`, `s${index}`)
      await addRun(store, `later${index}`, `s${index}`)
    }
    await claimed(store, 'r1')
    const queued = await store.listQueued(10)
    assert.deepEqual(
      queued.map(({ runId }) => runId),
      ['r0', 'r2', 'r3', 'r4'],
    )
    assert.deepEqual(queued[0], { runId: 'r0', sessionId: 's0', tenant: 'acme', createdAt: noon })
    assert.deepEqual(await store.listQueued(2), queued.slice(0, 2))
  },

  async 'lists as many of each tenant as are asked for, however many another one has in line'({ store }) {
    const admit = (id: string, tenant: string) =>
      store.createSession(session(`s${id}`, { tenant }), run(`r${id}`, `s${id}`, { tenant }), roomy)
    for (const index of times(5, (index) => index)) await admit(`loud${index}`, 'loud')
    for (const index of times(2, (index) => index)) await admit(`quiet${index}`, 'quiet')
    await admit('late', 'Another')
    const ids = async (limit: number): Promise<string[]> => (await store.listQueued(limit)).map(({ runId }) => runId)
    assert.deepEqual(await ids(1), ['rloud0', 'rquiet0', 'rlate'])
    assert.deepEqual(await ids(2), ['rloud0', 'rloud1', 'rquiet0', 'rquiet1', 'rlate'])
  },

  async 'counts the queued, those behind a run of their session included'({ store }) {
    assert.equal(await store.countQueued(), 0)
    for (const index of [1, 2, 3]) await queueRun(store, `r${index}`, `s${index}`)
    await addRun(store, 'later', 's3')
    assert.equal(await store.countQueued(), 4)
    await endRun(store, await claimed(store, 'r1'))
    assert.equal(await store.countQueued(), 3)
  },

  async 'knows how many come first'({ store }) {
    for (const index of [1, 2, 3]) await queueRun(store, `r${index}`, `s${index}`)
    const positions = (): Promise<(number | undefined)[]> =>
      Promise.all(['r1', 'r2', 'r3', 'r9'].map((runId) => store.queuePosition(runId)))
    assert.deepEqual(await positions(), [1, 2, 3, undefined])
    await claimed(store, 'r1')
    assert.deepEqual(await positions(), [undefined, 1, 2, undefined])
  },

  async 'takes a run back at its old place, with a new epoch'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await queueRun(store, 'r2', 's2')
    await store.append(fence, [], noon + 20, { progress: 40, currentTool: 'bash' })
    await store.requeueRun(fence, noon + 30)
    const row = await getRun(store, 'r1')
    const { state, owner, leaseUntil, attempts, progress, currentTool } = row
    assert.deepEqual({ state, attempts, progress }, { state: 'queued', attempts: 1, progress: 0 })
    assert.deepEqual([owner, leaseUntil, currentTool], [undefined, undefined, undefined])
    assert.equal(await store.queuePosition('r1'), 1)
    const { type, data, at } = (await page(store, 's1')).at(-1) ?? {}
    assert.deepEqual(
      { type, data, at },
      { type: 'status', data: { status: 'pending', reason: 'requeued' }, at: noon + 30 },
    )
    const again = await store.claimRun('r1', claim)
    assert.equal(again?.attempts, 2)
    assert.ok(again.epoch > fence.epoch)
  },

  async 'takes no run back whose prompt may have been sent'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await store.append(fence, [], noon + 20, { promptedAt: noon + 20 })
    const before = await getRun(store, 'r1')
    await assert.rejects(store.requeueRun(fence, noon + 30), FencedError)
    assert.deepEqual(await getRun(store, 'r1'), before)
  },

  async 'is passed by when a run is adopted: it keeps its state'({ store }) {
    const fence = await startRun(store, 'r1', 's1')
    await store.append(fence, [], noon + 20, { state: 'running', promptedAt: noon + 20 })
    const before = { run: await getRun(store, 'r1'), log: await page(store, 's1') }
    const heir = { owner: 'gateway-b', leaseUntil: noon + 90_000, at: noon + 50 }
    const row = await store.adoptRun('r1', heir)
    const { owner, leaseUntil } = heir
    assert.deepEqual(row, { ...before.run, owner, leaseUntil, epoch: before.run.epoch + 1 })
    assert.deepEqual(await page(store, 's1'), before.log)
    await store.append(fenceOf(row), [], noon + 60, { progress: 50 })
  },

  async 'counts as open every run that has not ended, the oldest first'({ store }) {
    const fences = []
    for (const index of times(4, (index) => index)) fences.push(await startRun(store, `r${index}`, `s${index}`))
    await queueRun(store, 'waiting', 's9')
    const [, second] = fences
    assert.ok(second)
    await endRun(store, second)
    const ids = async (limit: number): Promise<string[]> => (await store.listOpenRuns(limit)).map(({ runId }) => runId)
    assert.deepEqual(await ids(100), ['r0', 'r2', 'r3', 'waiting'])
    assert.deepEqual(await ids(2), ['r0', 'r2'])
    assert.deepEqual((await store.listOpenRuns(1))[0], await getRun(store, 'r0'))
  },
})
