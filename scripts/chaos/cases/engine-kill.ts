import { endedOrders } from '../checks/outcome.ts'
import { trueOutcome } from '../checks/true-outcome.ts'
import { examineAftermath } from '../lib/aftermath.ts'
import { enginesOf } from '../lib/engines.ts'
import { durationFigure } from '../lib/figures.ts'
import { momentForKill } from '../lib/moment.ts'
import { makeConversations, makeOrder } from '../lib/orders.ts'
import { killProcess } from '../lib/processes.ts'
import { recoveryTimes } from '../lib/recovery-time.ts'
import { setScene, type Scene } from '../lib/scene.ts'
import { talkAll } from '../lib/talk-all.ts'
import type { Scenario } from '../scenario.ts'

const runs = 6
/** The gateway waits longer before every start of an engine that dies early; that is no matter of this scenario. */
const killsPerGateway = 4
const endingTarget = 15_000

export const engineKill: Scenario = {
  name: 'engine-kill',
  describe: `kill -9 of the gateway's own engine with about ${runs} runs in flight`,
  async run(context) {
    const scene = await setScene(context, { MAX_CONCURRENT_SESSIONS: String(runs) })
    const { site, ledger } = scene
    const endings: number[] = []
    const nexts: number[] = []
    const rounds = context.rounds(10)
    for (let round = 1; round <= rounds; round += 1) {
      if (round % killsPerGateway === 1) {
        if (round > 1) await site.gateway().stop()
        await (
          await site.start()
        ).ready
      }
      const { endingMs, nextMs } = await engineKillRound(scene, round)
      if (endingMs !== undefined) endings.push(endingMs)
      nexts.push(nextMs)
    }
    const { figures, violations } = ledger.close()
    const durations = [
      durationFigure('kill → last run the engine had is over', endings, endingTarget),
      durationFigure('kill → a new session has its answer', nexts),
    ]
    return { figures: [...durations, ...figures], violations }
  },
}

async function engineKillRound(scene: Scene, round: number): Promise<{ endingMs: number | undefined; nextMs: number }> {
  const { context, site, model, ledger } = scene
  const where = `round ${round} of seed ${context.seed}`
  model.forget()
  const talking = talkAll(context, site, makeConversations(scene.random, `${context.seed}/${round}`, runs))
  await momentForKill(scene, runs, context.signal)
  const killedAt = Date.now()
  for (const pid of await enginesOf(scene)) killProcess(pid)

  const next = makeOrder('say', `${context.seed}/${round}/next`)
  const following = await talkAll(context, site, [{ route: 'sessions', orders: [next] }])
  const nextMs = Date.now() - killedAt
  const expectation = { others: ['interrupted'], engineSurvives: false, roots: [] } as const
  const sessions = await examineAftermath(scene, [...(await talking), ...following], { where, ...expectation })
  const ended = sessions.flatMap(endedOrders).filter(({ marker }) => marker === next.marker)
  ledger.check(trueOutcome([]), ended, `${where}, afterwards`)
  const { runs: open, sentMs } = recoveryTimes(sessions, { killedAt, listeningAt: killedAt })
  context.say(`${where}: ${open} open runs, those sent over after ${sentMs ?? 0} ms, a new one after ${nextMs} ms`)
  return { endingMs: sentMs, nextMs }
}
