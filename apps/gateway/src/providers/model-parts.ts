import type { ProviderStore } from '@opencode-gateway/contracts'
import type { SessionsOptions } from '@opencode-gateway/sessions'
import type { AppOptions } from '../app.ts'
import type { Config, Secrets } from '../config.ts'
import type { ModelAccess } from '../settings/model-access.ts'
import { modelKeySeal } from '../settings/model-keys.ts'
import { createProviderConfigs } from './provider-configs.ts'
import { modelRenewal } from './provider-order.ts'

export interface ModelPartsOptions {
  config: Pick<Config, 'server' | 'model'>
  sealing: Secrets['sealing']
  store: ProviderStore
  access: Pick<ModelAccess, 'proxy' | 'choices'>
}

export interface ModelParts {
  ofSessions: Pick<SessionsOptions, 'models' | 'keySeal' | 'renewModel'>
  ofApp: Pick<AppOptions, 'models' | 'providers' | 'checkProvider'>
}

/** What sessions and routes need of models; nothing with an engine that has its own providers. */
export function modelParts({ config, sealing, store, access }: ModelPartsOptions): ModelParts {
  if (config.server.url !== undefined) return { ofSessions: {}, ofApp: {} }
  const { proxy, choices: models } = access
  const { endpointHosts, providerLimits: limits } = config.model
  const providers = createProviderConfigs({ store, sealing, endpointHosts, limits })
  return {
    ofSessions: {
      models: proxy.runs,
      keySeal: sealing && modelKeySeal(sealing),
      renewModel: modelRenewal(providers, models),
    },
    ofApp: { models, providers, checkProvider: proxy.check },
  }
}
