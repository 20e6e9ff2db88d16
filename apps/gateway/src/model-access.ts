import { readFileSync } from 'node:fs'
import type { Log, ModelBudget, UsageLog } from '@opencode-gateway/contracts'
import {
  createModelProxy,
  readPrices,
  splitSettings,
  type ModelProxy,
  type StraightProvider,
} from '@opencode-gateway/model-proxy'
import { engineSettings, type EngineSettings, type EngineSettingsOptions } from './engine-settings.ts'
import { providerOfVariable } from './executors.ts'

export interface ModelAccessOptions extends EngineSettingsOptions {
  usageLog: UsageLog
  sessionBudget: ModelBudget
  dayBudget: ModelBudget
  log: Log
  /** A call of an engine was not passed on. */
  onRefused(why: string): void
}

export interface ModelAccess {
  proxy: ModelProxy
  /** What an engine is given, without what the proxy keeps for itself. */
  engine: EngineSettings
  /** Providers that an engine calls past the proxy. */
  straight: readonly StraightProvider[]
}

/** The proxy with the providers that can be behind it, and what is left for the engine. */
export function createModelAccess(options: ModelAccessOptions): ModelAccess {
  const { log, usageLog, sessionBudget, dayBudget, onRefused } = options
  const settings = engineSettings(options)
  const { upstreams, engine, straight } = splitSettings({
    settings,
    providerOfVariable,
    readText: (path) => readFileSync(path, 'utf8'),
  })
  for (const { provider, why } of straight) {
    log.warn(
      { provider },
      `PROVIDER "${provider}" IS NOT BEHIND THE MODEL PROXY: ${why}. Agents can read its credentials, and its calls are neither counted nor limited by the proxy.`,
    )
  }
  const prices = readPrices(settings.config)
  const proxy = createModelProxy({ upstreams, usageLog, prices, sessionBudget, dayBudget, log, onRefused })
  return { proxy, engine, straight }
}
