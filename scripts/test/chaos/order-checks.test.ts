import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Check } from '../../chaos/checks/check.ts'
import { effectsOnce } from '../../chaos/checks/effects-once.ts'
import { endedOrders, type EndedOrder } from '../../chaos/checks/outcome.ts'
import { sentOnce } from '../../chaos/checks/sent-once.ts'
import { survives } from '../../chaos/checks/survived.ts'
import { trueOutcome } from '../../chaos/checks/true-outcome.ts'
import { soundEnding, soundOrder, soundSession } from './facts.ts'

const [first, last] = soundOrder.calls
assert.ok(first && last)

function ended(outcome: EndedOrder['ended']['outcome']): Partial<EndedOrder> {
  return { ended: { ...soundEnding.ended, outcome } }
}

const unavailable = { code: 'EXECUTOR_UNAVAILABLE', message: 'gone', retryable: true } as const
const noEngine: Partial<EndedOrder> = { ended: { ...soundEnding.ended, outcome: 'failed', error: unavailable } }

const cases: readonly [Check<EndedOrder>, Record<string, Partial<EndedOrder>>, Record<string, Partial<EndedOrder>>][] =
  [
    [
      sentOnce,
      { 'its prompt was begun twice': { calls: [first, first, last] } },
      { 'its prompt was never begun': { calls: [] } },
    ],
    [
      effectsOnce,
      { 'its command ran twice': { effects: 2 } },
      { 'its command did not run': { effects: 0 }, 'nobody knows': { effects: undefined } },
    ],
    [
      trueOutcome(['interrupted']),
      {
        'the outcome is one that cannot be': ended('failed'),
        'it had no engine and yet reached the model': { ...noEngine, effects: 0 },
        'it had no engine and yet its command ran': { ...noEngine, calls: [] },
        'it is completed and the model was cut off': { calls: [first, { ...last, state: 'aborted' }] },
        'it is completed and the model was not asked for the end': { calls: [first] },
        'it is completed and the end of the answer is missing': {
          ended: { ...soundEnding.ended, finalMessage: 'it is the' },
        },
        'it is completed and the command did not run': { effects: 0 },
      },
      {
        'it is interrupted, whatever the model did': { ...ended('interrupted'), calls: [first] },
        'it had no engine and had not begun': { ...noEngine, calls: [], effects: 0 },
        'it is completed and has no command': { effects: undefined },
        'it is a command, which no model has a part in': { lastTurn: undefined, calls: [] },
      },
    ],
    [
      survives,
      {
        'it had reached the model and is interrupted': ended('interrupted'),
        'its command had begun and it is interrupted': { ...ended('interrupted'), calls: [] },
      },
      { 'it is interrupted and had not begun': { ...ended('interrupted'), calls: [], effects: 0 } },
    ],
  ]

for (const [check, ways, sound] of cases) {
  suite(check.name, () => {
    for (const [way, change] of Object.entries({ 'all is well': {}, ...sound })) {
      test(`holds when ${way}`, () => assert.deepEqual(check.complaints({ ...soundEnding, ...change }), []))
    }
    for (const [way, change] of Object.entries(ways)) {
      test(`is violated when ${way}`, () => {
        assert.equal(check.complaints({ ...soundEnding, ...change }).length, 1)
      })
    }
  })
}

test('how an order ended is what the log says; what has not ended is left out', () => {
  const [order] = endedOrders(soundSession)
  assert.deepEqual(order?.ended, { outcome: 'completed', finalMessage: 'end of m1', error: undefined, at: 4 })
  assert.deepEqual(endedOrders({ ...soundSession, log: soundSession.log.slice(0, -1) }), [])
})
