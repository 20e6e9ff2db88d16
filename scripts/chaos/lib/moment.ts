import { setTimeout as sleep } from 'node:timers/promises'
import type { Scene } from './scene.ts'

/** A kill is early, while orders are taken and sessions opened, or later, when the model has been called so often. */
const early = { probability: 0.3, latestMs: 800 }
const latestCallPerRun = 1.6
const patienceMs = 20_000
const pollMs = 10
const betweenCallsMs = 200

/** Counted in calls of the model, so that all moments of a round are as likely on a fast machine as on a slow one. */
export async function momentForKill(
  { random, model }: Pick<Scene, 'random' | 'model'>,
  runs: number,
  signal: AbortSignal,
): Promise<void> {
  if (random.chance(early.probability)) return sleep(random.between(0, early.latestMs), undefined, { signal })
  const calls = random.between(0, runs * latestCallPerRun)
  const limit = Date.now() + patienceMs
  while (model.calls().length < calls && Date.now() < limit) await sleep(pollMs, undefined, { signal })
  await sleep(random.between(0, betweenCallsMs), undefined, { signal })
}
