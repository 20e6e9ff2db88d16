import assert from 'node:assert/strict'
import type { CommonSession } from './common-session.ts'
import { createDeadline } from './deadline.ts'
import type { Ability, ExecutorHarness } from './harness.ts'
import { createScene, type Scene } from './scene.ts'

export const caseGroups = [
  'ordering',
  'ending',
  'proof',
  'content',
  'commands',
  'follow-ups',
  'cancel',
  'deadlines',
  'asks',
  'steering',
  'failure',
  'isolation',
  'lifecycle',
  'forks',
  'recovery',
] as const
export type CaseGroup = (typeof caseGroups)[number]

/** What their cases say holds as well for a session in which others have worked before; but for those with one of their own. */
export const commonGroups: ReadonlySet<CaseGroup> = new Set([
  'ordering',
  'ending',
  'proof',
  'content',
  'commands',
  'follow-ups',
  'cancel',
  'deadlines',
  'asks',
  'failure',
])

/** One statement about executors. `run` rejects when it does not hold. */
export interface ConformanceCase {
  readonly group: CaseGroup
  /** A sentence, unique in the suite. */
  readonly name: string
  readonly needs?: readonly Ability[]
  /** It needs one that nobody has worked in, or more than one; see `commonGroups`. */
  readonly session?: 'own'
  run(scene: Scene): Promise<void>
}

export interface PlayOptions {
  /** After so long the case fails and says what it waited for. */
  readonly limitMs: number
  /** To be played in; what is left of it is asked for when it is released. Cases have sessions of their own without. */
  readonly common?: CommonSession | undefined
}

/** Plays one case with an executor of its own; afterwards nothing may be left. */
export async function playCase(
  played: ConformanceCase,
  harness: ExecutorHarness,
  { limitMs, common }: PlayOptions,
): Promise<void> {
  const fixture = await harness.make()
  const { executor } = fixture
  const deadline = createDeadline(played.name, limitMs)
  const { scene, sessions } = createScene(fixture, harness.abilities, deadline, common)

  // The cleaning up has a limit of its own, since the case may have used up its time.
  const cleaning = createDeadline(`${played.name} (cleaning up)`, 2 * limitMs)

  let hasPassed = false

  async function play(): Promise<void> {
    await deadline.within('the executor to start', executor.start(deadline.signal))
    await deadline.within('something', played.run(scene))
    hasPassed = true
  }

  async function release(): Promise<void> {
    for (const session of sessions) await cleaning.within('the release of a session', session.release('nothing'))
    if (common && hasPassed) return
    // What a broken case has made of it is not for the next one.
    if (common) await cleaning.within('the release of the common session', common.release())
    assert.deepEqual(await cleaning.within('the leftovers', fixture.leftovers()), [], 'something is left behind')
  }

  const close = (): Promise<void> => cleaning.within('the executor to close', executor.close())

  const closeFixture = (): Promise<void> => cleaning.within('the fixture to close', fixture.close())

  // What comes first is thrown: a broken run is often the reason why something is left.
  const failures: unknown[] = []
  for (const step of [play, release, close, closeFixture]) {
    const [result] = await Promise.allSettled([step()])
    if (result.status === 'rejected') failures.push(result.reason)
  }
  deadline.clear()
  cleaning.clear()
  if (failures.length > 0) throw failures[0]
}

/** Releases the session that cases were played in; nothing may be left of it. */
export async function endCommon(common: CommonSession, harness: ExecutorHarness): Promise<void> {
  await common.release()
  const fixture = await harness.make()
  assert.deepEqual(await fixture.leftovers(), [], 'the common session has left something behind')
  await fixture.close()
}
