import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { acknowledgedIsThere } from '../../chaos/checks/acknowledged.ts'
import type { Check } from '../../chaos/checks/check.ts'
import { denseLog } from '../../chaos/checks/dense-log.ts'
import { oneEnding } from '../../chaos/checks/one-ending.ts'
import { oneRunPerKey } from '../../chaos/checks/one-per-key.ts'
import { transcriptIsLog } from '../../chaos/checks/transcript.ts'
import type { SessionFacts } from '../../chaos/facts.ts'
import { frame, receivedOf, soundLog, soundOrder, soundSession } from './facts.ts'

/** For each check the ways to break what it watches. */
const broken: readonly [Check<SessionFacts>, Record<string, Partial<SessionFacts>>][] = [
  [
    acknowledgedIsThere,
    {
      'a run is gone': { runs: [] },
      'the log does not know the run': { log: [], received: [] },
    },
  ],
  [
    oneRunPerKey,
    {
      'there is a run that nobody was told of': {
        runs: [...soundSession.runs, { run_id: 'r2', state: 'completed' }],
      },
      'two orders were given one run': { orders: [soundOrder, { ...soundOrder, marker: 'm2' }] },
    },
  ],
  [
    denseLog,
    {
      'the log is empty': { log: [] },
      'an event is missing': { log: soundLog.toSpliced(1, 1) },
      'an event is there twice': { log: soundLog.toSpliced(1, 0, frame(2, 'status')) },
      'the log begins late': { log: soundLog.slice(1) },
    },
  ],
  [
    transcriptIsLog,
    {
      'the end did not arrive': { received: soundSession.received.slice(0, -1) },
      'an event did not arrive': { received: soundSession.received.toSpliced(1, 1) },
      'an event arrived twice': { received: receivedOf([...soundLog.slice(0, 2), ...soundLog.slice(1)]) },
      'an event arrived that was taken back': { log: soundLog.slice(0, -1) },
      'an event arrived with other data': {
        received: receivedOf(soundLog.with(2, frame(3, 'output', { type: 'text', text: 'something else' }))),
      },
      'an event arrived under another name': { received: receivedOf(soundLog.with(2, frame(3, 'todo'))) },
    },
  ],
  [
    oneEnding,
    {
      'a run has not ended': { log: soundLog.slice(0, -1) },
      'a run ended twice': { log: [...soundLog, frame(5, 'complete', { outcome: 'completed' })] },
      'something came after the ending': { log: [...soundLog, frame(5, 'output')] },
      'the state says otherwise': { runs: [{ run_id: 'r1', state: 'failed' }] },
    },
  ],
]

for (const [check, ways] of broken) {
  suite(check.name, () => {
    test('holds for a sound session', () => assert.deepEqual(check.complaints(soundSession), []))
    for (const [way, change] of Object.entries(ways)) {
      test(`is violated when ${way}`, () => {
        const complaints = check.complaints({ ...soundSession, ...change })
        assert.equal(complaints.length, 1)
        assert.match(complaints.join(), /s1|r1/)
      })
    }
  })
}
