import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nothingSurvives, receiptIsTrue, type CancelledRun } from '../../chaos/checks/cancelled.ts'
import { oneRunForAll, type SameKey } from '../../chaos/checks/one-run.ts'
import { growthBytes, handlesReturn, steadyMemory, type SoakFacts } from '../../chaos/checks/steady.ts'

const receipt = { aborted_sessions: 1, killed: 0, quiet_after_ms: 12, escalated: false }
const sound: CancelledRun = {
  kind: 'streaming',
  runId: 'r1',
  receipt: { session_id: 's1', status: 'cancelled', cancelled_runs: ['r1'], receipt },
  ended: { outcome: 'cancelled', finalMessage: '', error: undefined, at: 1 },
  openCalls: [],
  processes: [],
  hadWork: 'model',
  engineHung: false,
}

suite(receiptIsTrue.name, () => {
  const nothing = { ...sound.receipt, receipt: { ...receipt, aborted_sessions: 0 } }
  test('holds for a sound receipt', () => assert.deepEqual(receiptIsTrue.complaints(sound), []))
  test('holds when nothing was stopped because nothing had begun', () => {
    assert.deepEqual(receiptIsTrue.complaints({ ...sound, hadWork: 'none', receipt: nothing }), [])
  })
  test('holds when an engine that hung was ended', () => {
    const ended = { ...sound.receipt, receipt: { ...receipt, killed: 1, escalated: true } }
    assert.deepEqual(receiptIsTrue.complaints({ ...sound, engineHung: true, receipt: ended }), [])
  })
  const { quiet_after_ms: _, ...unquiet } = receipt
  const ways: Record<string, Partial<CancelledRun>> = {
    'it does not say that it is quiet': { receipt: { ...sound.receipt, receipt: unquiet } },
    'the engine hung and was not ended': { engineHung: true },
    'the run is not named': { receipt: { ...sound.receipt, cancelled_runs: [] } },
    'the log has no end': { ended: undefined },
    'the log has another end': { ended: { outcome: 'completed', finalMessage: '', error: undefined, at: 1 } },
    'it tells of nothing although the model was at work': { receipt: nothing },
  }
  for (const [way, change] of Object.entries(ways)) {
    test(`is violated when ${way}`, () => assert.equal(receiptIsTrue.complaints({ ...sound, ...change }).length, 1))
  }
})

suite(nothingSurvives.name, () => {
  test('holds when nothing is left', () => assert.deepEqual(nothingSurvives.complaints(sound), []))
  test('is violated by a call of the model that is open', () => {
    const openCalls = [{ prompt: 'm1', turn: 0, state: 'open', at: 1 }] as const
    assert.equal(nothingSurvives.complaints({ ...sound, openCalls }).length, 1)
  })
  test('is violated by a process', () => {
    const processes = [{ pid: 7, command: 'sleep', ancestors: [1] }]
    assert.equal(nothingSurvives.complaints({ ...sound, processes }).length, 1)
  })
})

suite(oneRunForAll.name, () => {
  const answer = { status: 200, body: { run_id: 'r1', request_id: 'a' } }
  const other = { status: 200, body: { run_id: 'r1', request_id: 'b' } }
  const same: SameKey = { answers: [answer, other], runs: 1, begun: 1 }
  test('holds when answers differ in the id of the request alone', () => {
    assert.deepEqual(oneRunForAll.complaints(same), [])
  })
  const ways: Record<string, Partial<SameKey>> = {
    'nobody was answered': { answers: [] },
    'one answer is of another run': { answers: [answer, { status: 200, body: { run_id: 'r2' } }] },
    'all were refused': { answers: [{ status: 503, body: {} }] },
    'there are two runs': { runs: 2 },
    'there is no run': { runs: 0 },
    'the model was asked twice': { begun: 2 },
  }
  for (const [way, change] of Object.entries(ways)) {
    test(`is violated when ${way}`, () => assert.equal(oneRunForAll.complaints({ ...same, ...change }).length, 1))
  }
})

suite('a soak', () => {
  const megabyte = 2 ** 20
  const idle = { atMs: 0, rssBytes: 100 * megabyte, handles: 20 }
  const working = (growthMegabytes: number): SoakFacts => ({
    idleBefore: idle,
    idleAfter: idle,
    working: Array.from({ length: 100 }, (_, i) => ({
      ...idle,
      atMs: i,
      rssBytes: (100 + (growthMegabytes * i) / 90) * megabyte,
    })),
  })

  test('is sound when memory moves within the tolerance', () => {
    assert.deepEqual(steadyMemory.complaints(working(8)), [])
    assert.deepEqual(steadyMemory.complaints(working(-50)), [])
    assert.ok(growthBytes(working(9).working) < 9 * megabyte)
  })
  test('is not when it grows on and on, or when nobody looked', () => {
    assert.equal(steadyMemory.complaints(working(20)).length, 1)
    assert.equal(steadyMemory.complaints({ ...working(0), working: [idle] }).length, 1)
  })
  test('is not when a handle stays', () => {
    assert.deepEqual(handlesReturn.complaints(working(0)), [])
    assert.equal(handlesReturn.complaints({ ...working(0), idleAfter: { ...idle, handles: 21 } }).length, 1)
  })
})
