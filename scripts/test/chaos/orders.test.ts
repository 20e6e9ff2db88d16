import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationFigure, spread } from '../../chaos/lib/figures.ts'
import { makeConversations, makeOrder } from '../../chaos/lib/orders.ts'
import { createRandom } from '../../chaos/lib/random.ts'

test('the same seed gives the same conversations, another one gives others', () => {
  const make = (seed: number) => makeConversations(createRandom(seed), 'round', 20)
  assert.deepEqual(make(1), make(1))
  assert.notDeepEqual(make(1), make(2))
})

test('every prompt has a marker that no other prompt of any round has', () => {
  const random = createRandom(1)
  const orders = ['1', '11'].flatMap((round) => makeConversations(random, round, 20).flatMap(({ orders }) => orders))
  for (const { marker } of orders) {
    assert.equal(orders.filter(({ body }) => JSON.stringify(body).includes(marker)).length, 1)
  }
})

test('a script ends in the turn after its last tool call', () => {
  assert.equal(makeOrder('say', 'm').lastTurn, 0)
  assert.equal(makeOrder('command', 'm').lastTurn, 1)
  assert.equal(makeOrder('several turns', 'm').lastTurn, 3)
})

test('chance stays within its bounds', () => {
  const random = createRandom(7)
  for (let i = 0; i < 1000; i += 1) {
    const value = random.between(5, 6)
    assert.ok(value >= 5 && value < 6)
    assert.ok(['a', 'b'].includes(random.pick(['a', 'b'])))
  }
})

test('quantiles are values that were measured, and the target is for the 95th percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  assert.deepEqual(spread(hundred), { n: 100, p50: 50, p95: 95, max: 100 })
  assert.equal(durationFigure('it', [10, 2_001], 2_000).ok, false)
  assert.equal(durationFigure('it', [10, 1_999], 2_000).ok, true)
  assert.equal(durationFigure('it', [], 2_000).ok, false)
  assert.equal(durationFigure('it', [10]).ok, undefined)
})
