import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Executor } from '@opencode-gateway/contracts'
import {
  createFakeExecutor,
  executorConformance,
  playCase,
  shareExecutor,
  type ConformanceCase,
  type ExecutorHarness,
} from '../src/index.ts'
import { commonGroups, endCommon } from '../src/suite/case.ts'
import { createCommonSession } from '../src/suite/common-session.ts'
import { fakeAbilities } from './fake-harness.ts'

const LIMIT_MS = 30_000

/** One executor for all cases, as those have it whose sessions are costly. */
function sharedFake(wrap: (executor: Executor) => Executor = (executor) => executor) {
  const fake = createFakeExecutor({ models: ['scripted/scripted'], instant: true })
  const leftovers = async () => [...fake.leftovers(), ...fake.engine.directories.keys()]
  const shared = shareExecutor(wrap(fake), { gates: fake, leftovers })
  const harness: ExecutorHarness = {
    name: 'fake, whose cases share sessions',
    abilities: fakeAbilities,
    make: async () => shared.fixture(),
  }
  return { fake, harness }
}

const { fake, harness } = sharedFake()
after(() => fake.crash())
executorConformance(harness, { groups: [...commonGroups], commonSessions: true })

const passing: ConformanceCase = {
  group: 'ending',
  name: 'passes',
  run: async (scene) => void (await scene.command(await scene.open(), 'true').outcome()),
}

test('cases have one session until one of them fails', async (t) => {
  const opened: string[] = []
  const { fake, harness } = sharedFake((executor) => ({
    ...executor,
    open: (spec, ctx) => (opened.push(spec.sessionId), executor.open(spec, ctx)),
  }))
  t.after(() => fake.crash())
  const common = createCommonSession()
  const play = (played: ConformanceCase) => playCase(played, harness, { limitMs: LIMIT_MS, common })
  await play(passing)
  await play(passing)
  assert.equal(opened.length, 1)
  const failing: ConformanceCase = {
    ...passing,
    run: async (scene) => assert.fail(`no good: ${typeof (await scene.open())}`),
  }
  await assert.rejects(play(failing), /no good/)
  assert.equal(opened.length, 1)
  assert.deepEqual(await (await harness.make()).leftovers(), [], 'that of the failure is gone')
  await play(passing)
  assert.equal(opened.length, 2)
  await endCommon(common, harness)
})

test('what their session leaves is told, and a case that opens two is refused one', async (t) => {
  const { fake, harness } = sharedFake((executor) => ({
    ...executor,
    open: async (spec, ctx) => ({ ...(await executor.open(spec, ctx)), release: async () => {} }),
  }))
  t.after(() => fake.crash())
  const common = createCommonSession()
  await playCase(passing, harness, { limitMs: LIMIT_MS, common })
  await assert.rejects(endCommon(common, harness), /left something behind/)
  const greedy: ConformanceCase = { ...passing, run: async (scene) => void [await scene.open(), await scene.open()] }
  await assert.rejects(playCase(greedy, harness, { limitMs: LIMIT_MS, common }), /more than one/)
})
