import assert from 'node:assert/strict'
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

/** One statement about executors. `run` rejects when it does not hold. */
export interface ConformanceCase {
  readonly group: CaseGroup
  /** A sentence, unique in the suite. */
  readonly name: string
  readonly needs?: readonly Ability[]
  run(scene: Scene): Promise<void>
}

export interface PlayOptions {
  /** After so long the case fails and says what it waited for. */
  readonly limitMs: number
}

/** Plays one case with an executor of its own; afterwards nothing may be left. */
export async function playCase(
  played: ConformanceCase,
  harness: ExecutorHarness,
  { limitMs }: PlayOptions,
): Promise<void> {
  const fixture = await harness.make()
  const { executor } = fixture
  const deadline = createDeadline(played.name, limitMs)
  const { scene, sessions } = createScene(fixture, harness.abilities, deadline)

  // The cleaning up has a limit of its own, since the case may have used up its time.
  const cleaning = createDeadline(`${played.name} (cleaning up)`, 2 * limitMs)

  async function play(): Promise<void> {
    await deadline.within('the executor to start', executor.start(deadline.signal))
    await deadline.within('something', played.run(scene))
  }

  async function release(): Promise<void> {
    for (const session of sessions) await cleaning.within('the release of a session', session.release('nothing'))
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
