import assert from 'node:assert/strict'
import { claimed, ending, endRun, fenceOf, getRun, key, noon, roomy, run, session } from '../fixtures.ts'
import { group } from '../harness.ts'

const sealed = (runId: string): string => `v1.key.${runId}`
const keyed = (runId: string, sessionId: string) => run(runId, sessionId, { sealedKey: sealed(runId) })

export const runKeys = group('keys of runs', {
  async 'keeps the sealed key of a run until it has ended, apart from its row'({ store, crash }) {
    await store.createSession(session('s1'), keyed('r1', 's1'), roomy)
    await store.addRun(keyed('r2', 's1'), { ...roomy, rejectWhenBusy: false })
    await store.addRun(run('r3', 's1'), { ...roomy, rejectWhenBusy: false })
    const again = await crash()
    const keys = async () => [await again.getRunKey('r1'), await again.getRunKey('r2'), await again.getRunKey('r3')]
    assert.deepEqual(await keys(), [sealed('r1'), sealed('r2'), undefined])
    assert.equal('sealedKey' in (await getRun(again, 'r1')), false)
    await again.requeueRun(await claimed(again, 'r1'), noon)
    assert.deepEqual(await keys(), [sealed('r1'), sealed('r2'), undefined], 'while it is tried again')
    await endRun(again, await claimed(again, 'r1'))
    assert.deepEqual(await keys(), [undefined, sealed('r2'), undefined], 'when it has ended')
    const cancelled = ending('cancelled')
    await again.append(fenceOf(await getRun(again, 'r2')), [cancelled.event], noon, cancelled.patch)
    assert.deepEqual(await keys(), [undefined, undefined, undefined], 'when it never began')
    assert.equal(await again.getRunKey('nobody'), undefined)
  },

  async 'leaves the key of a run as it is when the same request comes again'({ store }) {
    const admission = { ...roomy, idempotency: key() }
    await store.createSession(session('s1'), keyed('r1', 's1'), admission)
    const replayed = await store.createSession(session('s2'), keyed('r2', 's2'), admission)
    assert.equal(replayed.status, 'replayed')
    assert.deepEqual([await store.getRunKey('r1'), await store.getRunKey('r2')], [sealed('r1'), undefined])
  },
})
