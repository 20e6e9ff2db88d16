import { setTimeout as sleep } from 'node:timers/promises'
import { examineAftermath } from './aftermath.ts'
import type { Gateway } from './gateway.ts'
import { momentForKill } from './moment.ts'
import { makeConversations } from './orders.ts'
import { recoveryTimes, type RecoveryTimes } from './recovery-time.ts'
import type { Expectation, Scene } from './scene.ts'
import { talkAll } from './talk-all.ts'

export interface KillRound extends Expectation {
  round: number
  runs: number
  /** Starts the gateway after a kill. */
  restart(): Promise<Gateway>
}

/** Recovery is a moment for a kill like any other. */
const secondKill = { probability: 0.25, latestMs: 2_500 }

/** Clients give their orders and follow them, the gateway is killed meanwhile, and the next one is left to sort it out. */
export async function killRound(scene: Scene, options: KillRound): Promise<RecoveryTimes> {
  const { context, random, site, model } = scene
  const { round, runs, restart, ...expectation } = options
  const where = `round ${round} of seed ${context.seed}`
  const startedAt = Date.now()
  model.forget()
  const talking = talkAll(context, site, makeConversations(random, `${context.seed}/${round}`, runs))

  await momentForKill(scene, runs, context.signal)
  const killedAt = Date.now()
  await site.gateway().kill()
  let gateway = await restart()
  const isKilledAgain = random.chance(secondKill.probability)
  if (isKilledAgain) {
    await sleep(random.between(0, secondKill.latestMs), undefined, { signal: context.signal })
    await gateway.kill()
    gateway = await restart()
  }

  const sessions = await examineAftermath(scene, await talking, { where, ...expectation })
  const times = recoveryTimes(sessions, { killedAt, listeningAt: gateway.listeningAt })
  const { sentMs = 0, allMs = 0 } = times
  const how = `killed after ${killedAt - startedAt} ms${isKilledAgain ? ', and again' : ''}`
  context.say(`${where}: ${how}; ${times.runs} open runs over after ${sentMs} ms (sent), ${allMs} ms (all)`)
  return times
}
