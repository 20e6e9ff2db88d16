import { recoveryFigures } from '../lib/figures.ts'
import { killRound } from '../lib/kill-round.ts'
import type { RecoveryTimes } from '../lib/recovery-time.ts'
import { setScene } from '../lib/scene.ts'
import type { Scenario } from '../scenario.ts'

const runs = 20

export const gatewayKill: Scenario = {
  name: 'gateway-kill',
  describe: `kill -9 of the gateway with about ${runs} runs in flight; its engine is its own`,
  async run(context) {
    const scene = await setScene(context, { MAX_CONCURRENT_SESSIONS: String(runs) })
    const { site, ledger } = scene
    await (
      await site.start()
    ).ready
    const times: RecoveryTimes[] = []
    const expectation = { others: ['interrupted'], engineSurvives: false, roots: [] } as const
    for (let round = 1; round <= context.rounds(20); round += 1) {
      times.push(await killRound(scene, { round, runs, restart: () => site.start(), ...expectation }))
    }
    const { figures, violations } = ledger.close()
    return { figures: [...recoveryFigures(times), ...figures], violations }
  },
}
