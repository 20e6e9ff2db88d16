import { startRemoteEngine } from '../lib/engine.ts'
import { recoveryFigures } from '../lib/figures.ts'
import { killRound } from '../lib/kill-round.ts'
import type { RecoveryTimes } from '../lib/recovery-time.ts'
import { setScene } from '../lib/scene.ts'
import type { Scenario } from '../scenario.ts'

const runs = 20
/** An engine grows with every directory it has seen; it is replaced after so many rounds. */
const roundsPerEngine = 5

export const gatewayKillRemote: Scenario = {
  name: 'gateway-kill-remote',
  describe: `the same with an engine that lives on: what it works on goes on`,
  async run(context) {
    const scene = await setScene(context, { MAX_CONCURRENT_SESSIONS: String(runs) })
    const { site, ledger, model } = scene
    const times: RecoveryTimes[] = []
    const rounds = context.rounds(10)
    for (let round = 1; round <= rounds;) {
      const engine = await startRemoteEngine(context, `engine-${round}`, model.url)
      const restart = () => site.start(engine.environment)
      await (
        await restart()
      ).ready
      const last = Math.min(rounds, round + roundsPerEngine - 1)
      const expectation = { others: ['interrupted'], engineSurvives: true, roots: [engine.pid] } as const
      for (; round <= last; round += 1) times.push(await killRound(scene, { round, runs, restart, ...expectation }))
      await site.gateway().stop()
      await engine.stop()
    }
    const { figures, violations } = ledger.close()
    return { figures: [...recoveryFigures(times), ...figures], violations }
  },
}
