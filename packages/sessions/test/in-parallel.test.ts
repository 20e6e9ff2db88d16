import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inParallel } from '../src/waiting/in-parallel.ts'

test('everything is done, never more at a time than allowed', async () => {
  let working = 0
  let most = 0
  const done: number[] = []
  await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    working += 1
    most = Math.max(most, working)
    await new Promise((resolve) => setImmediate(resolve))
    working -= 1
    done.push(item)
  })
  assert.equal(most, 3)
  assert.deepEqual(
    done.toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7],
  )
})

test('after a failure nothing more is begun, and what was under way has settled', async () => {
  const begun: number[] = []
  let settled = false
  const work = async (item: number): Promise<void> => {
    begun.push(item)
    if (item === 1) throw new Error('one')
    await new Promise((resolve) => setImmediate(resolve))
    settled = true
  }
  await assert.rejects(inParallel([1, 2, 3, 4], 2, work), { message: 'one' })
  assert.deepEqual(begun, [1, 2])
  assert.ok(settled)
})
