import { crashPoints } from '@opencode-gateway/sessions'
import { crashRound } from '../lib/crash-round.ts'
import { startRemoteEngine } from '../lib/engine.ts'
import { recoveryFigures } from '../lib/figures.ts'
import type { GatewayEnvironment } from '../lib/gateway.ts'
import type { RecoveryTimes } from '../lib/recovery-time.ts'
import { setScene, type Expectation } from '../lib/scene.ts'
import type { Scenario } from '../scenario.ts'

export const crashPointsEmbedded: Scenario = {
  name: 'crash-points',
  describe: `a gateway that ends itself at each of ${crashPoints.length} places; its engine dies with it`,
  run: (context) => crashEverywhere(context, { engineSurvives: false }),
}

export const crashPointsRemote: Scenario = {
  name: 'crash-points-remote',
  describe: 'the same with an engine that lives on',
  run: (context) => crashEverywhere(context, { engineSurvives: true }),
}

async function crashEverywhere(
  context: Parameters<Scenario['run']>[0],
  { engineSurvives }: Pick<Expectation, 'engineSurvives'>,
): ReturnType<Scenario['run']> {
  const scene = await setScene(context)
  const { site, model, ledger } = scene
  const engine = engineSurvives ? await startRemoteEngine(context, 'engine', model.url) : undefined
  const start = (environment: GatewayEnvironment) => site.start({ ...engine?.environment, ...environment })
  const roots = engine ? [engine.pid] : []
  const times: RecoveryTimes[] = []
  for (const point of crashPoints) {
    times.push(await crashRound(scene, { point, start, others: ['interrupted'], engineSurvives, roots }))
  }
  const { figures, violations } = ledger.close()
  return { figures: [...recoveryFigures(times), ...figures], violations }
}
