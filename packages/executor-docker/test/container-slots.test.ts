import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Executor } from '@opencode-gateway/contracts'
import { labels } from '../src/container/container-spec.ts'
import { prompt } from '@opencode-gateway/executor-testing/running'
import { createPlace, ctx, missingImage, until } from './scene.ts'
import type { Place } from './scene.ts'

describe('a bound on containers', { skip: await missingImage() }, () => {
  let place: Place
  let executor: Executor
  before(async () => {
    place = await createPlace()
    executor = place.executor({ maxContainers: 1, containerWaitMs: 500, warmPool: { size: 1 } })
    await executor.start(AbortSignal.timeout(120_000))
  })
  after(() => place?.close())

  test('one without work makes room, and while all work a further session is refused', async (t) => {
    // The one that waits for a session counts, and is taken.
    await until(async () => (await executor.check(AbortSignal.timeout(20_000))).warm?.ready === 1)
    const open = (sessionId: string) => executor.open({ sessionId, title: 'Bound' }, ctx())
    const first = await open('first')
    t.after(() => first.release('nothing'))
    const busy = prompt(first, 'say: begun', 'hang')
    await busy.untilText('text', 'begun')
    await assert.rejects(open('one-too-many'), { code: 'TOO_MANY_CONTAINERS' })
    assert.equal((await place.containers()).length, 1)
    await first.cancel(ctx())
    assert.equal((await busy.outcome).status, 'cancelled')

    const second = await open('second')
    t.after(() => second.release('nothing'))
    const containers = await place.containers()
    assert.deepEqual(
      containers.map(({ labels: { [labels.session]: id } }) => id),
      ['second'],
    )
  })
})
