import { readFileSync } from 'node:fs'
import type { Log } from '@opencode-gateway/contracts'
import { createModelProxy, splitSettings, type ModelProxy, type StraightProvider } from '@opencode-gateway/model-proxy'
import { engineSettings, type EngineSettings, type EngineSettingsOptions } from './engine-settings.ts'
import { providerOfVariable } from './executors.ts'

export interface ModelAccessOptions extends EngineSettingsOptions {
  log: Log
}

export interface ModelAccess {
  proxy: ModelProxy
  /** What an engine is given, without what the proxy keeps for itself. */
  engine: EngineSettings
  /** Providers that an engine calls past the proxy. */
  straight: readonly StraightProvider[]
}

/** The proxy with the providers that can be behind it, and what is left for the engine. */
export function createModelAccess({ log, ...options }: ModelAccessOptions): ModelAccess {
  const { upstreams, engine, straight } = splitSettings({
    settings: engineSettings(options),
    providerOfVariable,
    readText: (path) => readFileSync(path, 'utf8'),
  })
  for (const { provider, why } of straight) {
    log.warn(
      { provider },
      `PROVIDER "${provider}" IS NOT BEHIND THE MODEL PROXY: ${why}. Agents can read its credentials, and its calls are neither counted nor limited by the proxy.`,
    )
  }
  return { proxy: createModelProxy({ upstreams, log }), engine, straight }
}
