import type { Outcome } from '@opencode-gateway/contracts'
import { createLedger, type Ledger } from '../ledger.ts'
import type { ChaosContext } from '../scenario.ts'
import type { GatewayEnvironment } from './gateway.ts'
import { modelConfig, startModel, type Model } from './model.ts'
import { createRandom, type Random } from './random.ts'
import { createSite, type Site } from './site.ts'

/** What a scenario with real gateways and engines works with. */
export interface Scene {
  context: ChaosContext
  ledger: Ledger
  model: Model
  site: Site
  random: Random
}

/** What can be true after the crash of a kind. */
export interface Expectation {
  /** Outcomes of a run besides `completed`. */
  others: readonly Outcome[]
  /** The engine lives on, and so do the runs that it has. */
  engineSurvives: boolean
  /** Processes that may be there besides the gateway and what it starts. */
  roots: readonly number[]
}

export async function setScene(context: ChaosContext, environment: GatewayEnvironment = {}): Promise<Scene> {
  const model = await startModel(context)
  const site = await createSite(context, { OPENCODE_CONFIG_JSON: modelConfig(model.url), ...environment })
  return { context, ledger: createLedger(context.say), model, site, random: createRandom(context.seed) }
}
