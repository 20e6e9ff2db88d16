import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from '../../chaos/checks/check.ts'
import { createLedger } from '../../chaos/ledger.ts'

const isEven: Check<number> = {
  name: 'even',
  complaints: (number) => (number % 2 === 0 ? [] : [`${number} is odd`]),
}

function open() {
  const said: string[] = []
  return { said, ledger: createLedger((line) => said.push(line)) }
}

test('what holds is counted over all rounds', () => {
  const { ledger, said } = open()
  ledger.check(isEven, [2, 4], 'round 1')
  ledger.check(isEven, [6], 'round 2')
  const { figures, violations } = ledger.close()
  assert.deepEqual(violations, [])
  assert.deepEqual(said, [])
  assert.deepEqual(figures, [
    { what: 'even', measured: '0 violations in 3', target: '0', ok: true, values: { checked: 3, violated: 0 } },
  ])
})

test('what does not hold is said at once, kept with its place, and makes the figure bad', () => {
  const { ledger, said } = open()
  ledger.check(isEven, [1, 2], 'round 1')
  const { figures, violations } = ledger.close()
  assert.deepEqual(violations, ['even: round 1: 1 is odd'])
  assert.equal(said.length, 1)
  assert.equal(figures[0]?.ok, false)
})

test('a check that saw nothing is a violation', () => {
  const { ledger } = open()
  ledger.check(isEven, [], 'round 1')
  const { figures, violations } = ledger.close()
  assert.deepEqual(violations, ['even: nothing was checked'])
  assert.equal(figures[0]?.ok, false)
})

test('what no check foresaw is a violation', () => {
  const { ledger } = open()
  ledger.complain('unforeseen', 'a strange answer')
  assert.deepEqual(ledger.close().violations, ['unforeseen: a strange answer'])
})
