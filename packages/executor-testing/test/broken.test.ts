import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { conformanceCases, playCase } from '../src/index.ts'
import { brokenAsks } from './broken/asks.ts'
import { brokenContents } from './broken/contents.ts'
import { brokenEndings } from './broken/endings.ts'
import { brokenForks } from './broken/forks.ts'
import { brokenLifecycles } from './broken/lifecycles.ts'
import type { Broken } from './broken/meddle.ts'
import { brokenSessions } from './broken/sessions.ts'
import { brokenSteering } from './broken/steering.ts'
import { brokenStops } from './broken/stops.ts'
import { fakeHarness } from './fake-harness.ts'

const allBroken: readonly Broken[] = [
  ...brokenEndings,
  ...brokenContents,
  ...brokenStops,
  ...brokenAsks,
  ...brokenSteering,
  ...brokenSessions,
  ...brokenLifecycles,
  ...brokenForks,
]

const LIMIT_MS = 30_000
// Reached by every case that hangs; long enough for a busy machine to come to the place where it hangs.
const HANGING_LIMIT_MS = 2_000

// Most of the time is spent waiting for the limits, so all of it goes on at once.
describe('the conformance suite notices', { concurrency: true }, () => {
  for (const { name, breakIt, noticed, hangs = false } of allBroken) {
    test(name, async () => {
      const harness = fakeHarness({ fake: { instant: true }, wrap: breakIt })
      const limitMs = hangs ? HANGING_LIMIT_MS : LIMIT_MS
      const noticing = Object.entries(noticed).map(async ([caseName, failure]) => {
        const played = conformanceCases.find((candidate) => candidate.name === caseName)
        assert.ok(played, `there is no case "${caseName}"`)
        await assert.rejects(playCase(played, harness, { limitMs }), failure, caseName)
      })
      await Promise.all(noticing)
    })
  }
})

test('every case of the suite has a broken executor that it notices', () => {
  const noticing = new Set(allBroken.flatMap(({ noticed }) => Object.keys(noticed)))
  const idle = conformanceCases.map(({ name }) => name).filter((name) => !noticing.has(name))
  assert.deepEqual(idle, [])
})

test('every case has a name of its own', () => {
  const names = conformanceCases.map(({ name }) => name)
  assert.deepEqual(names, [...new Set(names)])
})
