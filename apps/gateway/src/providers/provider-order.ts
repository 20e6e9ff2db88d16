import { GatewayError, type ModelConfig, type ModelOptions } from '@opencode-gateway/contracts'
import type { RunOrder } from '@opencode-gateway/sessions'
import { modelOrder, type ModelChoices, type ModelOrder } from '../orders/model-order.ts'
import type { OpenProvider, ProviderConfigs } from './provider-configs.ts'

type PromptOrder = Extract<RunOrder, { kind: 'prompt' }>

/**
 * The configuration that the model of a request is called with: the one it names, or the tenant's default where it names
 * nothing. A request that brings a key or an address uses none: what it says and what is kept never mix.
 */
export async function providerOf(
  { model, model_config: asked }: { model?: string; model_config?: ModelConfig },
  tenant: string,
  configs: ProviderConfigs | undefined,
): Promise<OpenProvider | undefined> {
  if (!configs || asked?.api_key !== undefined || asked?.api_endpoint !== undefined) return undefined
  if (asked?.provider !== undefined) return await configs.open(tenant, asked.provider)
  return model === undefined ? await configs.openDefault(tenant) : undefined
}

/** As `modelOrder`, with what the configuration says. */
export function providerOrder(
  asked: ModelConfig,
  provider: OpenProvider,
  named: { requested: string | undefined; default: string | undefined },
  choices: ModelChoices,
): ModelOrder {
  const { name, version, kind, endpoint, key } = provider
  const model = asked.model ?? provider.model
  const {
    model: engine,
    modelOptions,
    modelKey,
  } = modelOrder(
    {
      ...asked,
      provider: kind,
      ...(model === undefined ? {} : { model }),
      ...(endpoint === undefined ? {} : { api_endpoint: endpoint }),
      ...(key === undefined ? {} : { api_key: key }),
    },
    { ...named, requested: named.requested === `${name}/${model}` ? undefined : named.requested },
    choices,
  )
  return {
    ...(engine === undefined ? {} : { model: engine }),
    ...(modelKey === undefined ? {} : { modelKey }),
    modelOptions: {
      ...modelOptions,
      // Of a kind without an address the name of the configuration says more.
      ...(kind === 'openai-compatible' ? { name: `${name}/${model}` } : {}),
      config: { name, version, ...chosenModel(asked) },
    },
  }
}

const chosenModel = ({ model, model_version: version }: ModelConfig): Pick<ModelConfig, 'model'> =>
  model === undefined ? {} : { model: version === undefined ? model : `${model}-${version}` }

/** What a later run has of one before it that used a configuration: that, as it is now. */
export function modelRenewal(configs: ProviderConfigs, choices: ModelChoices) {
  return async (
    tenant: string,
    options: ModelOptions,
  ): Promise<Pick<PromptOrder, 'model' | 'modelOptions' | 'modelKey'>> => {
    const { config, temperature, maxTokens, reasoningEffort, tools } = options
    if (!config) throw new Error('the run before used no provider configuration')
    const provider = await configs.open(tenant, config.name)
    if (!provider) throw gone(config.name)
    const asked: Record<string, unknown> = {
      ...(config.model === undefined ? {} : { model: config.model }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
      ...(reasoningEffort === undefined ? {} : { reasoning_effort: reasoningEffort }),
      ...(tools === undefined ? {} : { enabled_tools: [...tools] }),
    }
    return providerOrder(asked, provider, { requested: undefined, default: undefined }, choices)
  }
}

function gone(name: string): GatewayError {
  return new GatewayError(
    'UNSUPPORTED_OPTION',
    `The provider configuration "${name}", which the session used, has been deleted. Name another model.`,
    { details: { field: 'model_config.provider', reason: 'has been deleted' } },
  )
}
