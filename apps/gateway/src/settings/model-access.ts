import { readFileSync } from 'node:fs'
import { GatewayError, type Log, type ModelBudget, type UsageLog } from '@opencode-gateway/contracts'
import {
  createModelProxy,
  providerAddresses,
  readPrices,
  slotProviders,
  splitSettings,
  type KeyBudgets,
  type ModelProxy,
  type StraightProvider,
} from '@opencode-gateway/model-proxy'
import { engineSettings, type EngineSettings, type EngineSettingsOptions } from './engine-settings.ts'
import { providerOfVariable, type ExecutorSettings } from '../executors.ts'
import type { ModelChoices } from '../orders/model-order.ts'

export interface ModelAccessOptions extends EngineSettingsOptions {
  usageLog: UsageLog
  sessionBudget: ModelBudget
  dayBudget: ModelBudget
  /** What an API key may use besides. */
  budgetsOfKey(keyId: string): KeyBudgets
  /** Whether anybody may raise that, and what the tenant may use on a day. */
  isRaisable(tenant: string): boolean
  /** Hosts that a request may name. */
  endpointHosts: readonly string[]
  log: Log
  /** A call of an engine was not passed on. */
  onRefused(why: string): void
}

export interface ModelAccess {
  proxy: ModelProxy
  /** What an engine is given, without what the proxy keeps for itself, and its ways to the proxy. */
  forExecutor: Omit<ExecutorSettings['engine'], 'openEgress'>
  /** Providers that an engine calls past the proxy. */
  straight: readonly StraightProvider[]
  /** What requests may choose. */
  choices: ModelChoices
}

/** The proxy with the providers that can be behind it, and what is left for the engine. */
export function createModelAccess(options: ModelAccessOptions): ModelAccess {
  const { log, usageLog, sessionBudget, dayBudget, budgetsOfKey, isRaisable, onRefused } = options
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
  // An engine without a default model would choose one, perhaps of these.
  const slots = typeof settings.config['model'] === 'string'
  const prices = readPrices(settings.config)
  const budgets = { sessionBudget, dayBudget, budgetsOfKey, isRaisable }
  const proxy = createModelProxy({ upstreams, usageLog, prices, ...budgets, slots, log, onRefused })
  const providers = new Map([...upstreams.keys()].map((name) => [name, declaredModels(settings.config, name)]))
  const choices = { providers, slots, endpointHosts: options.endpointHosts }
  const forExecutor = {
    ...(slots ? withSlots(engine) : engine),
    models: proxy.engines,
    openModels: proxy.openSocket,
    providers: proxy.providers,
  }
  return { proxy, straight, forExecutor, choices }
}

function withSlots(engine: EngineSettings): EngineSettings {
  const { provider, enabled_providers: listed, ...config } = engine.config
  const added = slotProviders()
  return {
    ...engine,
    config: {
      ...config,
      provider: { ...Object(provider), ...added },
      ...(Array.isArray(listed) ? { enabled_providers: [...listed, ...Object.keys(added)] } : {}),
    },
  }
}

/** Undefined for a provider of the engine's catalogue, which has more than is declared. */
function declaredModels(config: EngineSettings['config'], provider: string): readonly string[] | undefined {
  if (providerAddresses[provider] !== undefined) return undefined
  return Object.keys(Object(Object(Object(config['provider'])[provider]).models))
}

/** A container has no way out but the proxy, and gets no credentials. */
export function refuseStraight([first]: readonly StraightProvider[]): void {
  if (!first) return
  const { provider, why } = first
  throw new GatewayError(
    'EXECUTOR_UNAVAILABLE',
    `Provider "${provider}" cannot be used with EXECUTOR=docker: ${why}. Take it out of the settings, or use EXECUTOR=server.`,
    { retryable: false },
  )
}
