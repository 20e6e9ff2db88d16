import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { freeAll, type Free } from '../src/start/free-all.ts'
import { shutdownPlan } from '../src/start/shutdown-plan.ts'
import { configOf } from './gateway.ts'

for (const graceMs of [2000, 4000, 10_000, 25_000, 3_600_000]) {
  test(`a grace time of ${graceMs} ms is for runs and for closing together`, () => {
    const { drainMs, closeMs, lastAnswersMs, hurryMs } = shutdownPlan(graceMs)
    assert.equal(drainMs + closeMs, graceMs)
    assert.ok(drainMs > 0)
    assert.ok(closeMs >= 1500)
    assert.ok(0 < lastAnswersMs && lastAnswersMs < hurryMs && hurryMs < closeMs)
  })
}

test('a grace time that no engine could be ended in is refused', () => {
  assert.throws(() => configOf({ SHUTDOWN_GRACE: '1s' }), /SHUTDOWN_GRACE/)
  assert.equal(configOf({ SHUTDOWN_GRACE: '2s' }).config.shutdownGraceMs, 2000)
})

const silent = pino({ level: 'silent' })
const never = () => new Promise<void>(() => {})

test('everything is closed in its order, whatever fails or does not end', { timeout: 30_000 }, async () => {
  const closed: string[] = []
  const hurry = new AbortController()
  const close =
    (name: string, end: () => Promise<void> = async () => {}): Free =>
    async () => {
      closed.push(name)
      await end()
    }
  const stuck = close('stuck', () => {
    hurry.abort()
    return never()
  })
  const broken = close('broken', () => Promise.reject(new Error('x')))
  await freeAll([close('first'), broken, stuck, close('late', never), close('store')], hurry.signal, silent)
  assert.deepEqual(closed, ['first', 'broken', 'stuck', 'late', 'store'])
})
