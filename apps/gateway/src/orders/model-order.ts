import { GatewayError, type FieldProblem, type ModelConfig, type ModelOptions } from '@opencode-gateway/contracts'
import { dialectOfProvider, providerAddresses, slotModel, slots } from '@opencode-gateway/model-proxy'
import { isAllowedEndpoint } from './endpoint-hosts.ts'
import { oneOrAll } from '../http/one-or-all.ts'

/** What a request may choose of models. */
export interface ModelChoices {
  /** Providers behind the proxy, with the models that are declared; undefined for all of the engine's catalogue. */
  providers: ReadonlyMap<string, readonly string[] | undefined>
  /** Engines can be sent to models that they were not started with. */
  slots: boolean
  /** Hosts, with their port where it is not the usual one, that a request may name. */
  endpointHosts: readonly string[]
}

/** What `model_config` makes of a run. */
export interface ModelOrder {
  /** The engine's name of the model. */
  model?: string
  modelOptions: ModelOptions
  modelKey?: string
}

/** The model that the request names besides, or that of the gateway. */
interface Named {
  requested: string | undefined
  default: string | undefined
}

/** Throws UNSUPPORTED_OPTION, with the field, for what is not known or cannot be done. */
export function modelOrder(asked: ModelConfig, named: Named, choices: ModelChoices): ModelOrder {
  const { api_key: key, api_endpoint: endpoint, model_version: version, temperature, max_tokens: maxTokens } = asked
  const usual = split(named.requested ?? named.default)
  const provider = asked.provider ?? usual.provider
  const model = asked.model ?? (provider === usual.provider ? usual.model : '')
  const isBehind = choices.providers.has(provider)
  const isSlot = provider !== '' && (endpoint !== undefined || !isBehind)
  const problems = findProblems(asked, { named, provider, model, isSlot, choices })
  if (problems.length > 0) throw refusal(problems)
  const dialect = dialectOfProvider(provider)
  const address = endpoint ?? (isSlot ? providerAddresses[provider] : undefined)
  const engine = isSlot ? slotModel(dialect) : model === '' ? undefined : `${provider}/${model}`
  return {
    ...(engine === undefined ? {} : { model: engine }),
    ...(key === undefined ? {} : { modelKey: key }),
    modelOptions: {
      provider: isSlot ? slots[dialect].provider : provider,
      ...(isSlot || version !== undefined ? { model: version === undefined ? model : `${model}-${version}` } : {}),
      ...(isSlot ? { name: `${provider}/${model}` } : {}),
      ...(address === undefined ? {} : { endpoint: address }),
      ...(key === undefined ? {} : { keyed: true as const }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(asked.reasoning_effort === undefined ? {} : { reasoningEffort: asked.reasoning_effort }),
      ...(asked.enabled_tools === undefined ? {} : { tools: asked.enabled_tools }),
    },
  }
}

interface Chosen {
  named: Named
  provider: string
  model: string
  isSlot: boolean
  choices: ModelChoices
}

function findProblems(asked: ModelConfig, { named, provider, model, isSlot, choices }: Chosen): FieldProblem[] {
  const problems: FieldProblem[] = []
  const add = (field: keyof ModelConfig, reason: string): void => {
    problems.push({ field: `model_config.${field}`, reason })
  }
  const { api_key: key, api_endpoint: endpoint, temperature = 0 } = asked
  const dialect = dialectOfProvider(provider)
  const names = [asked.provider, asked.model, asked.model_version, key, endpoint].some((value) => value !== undefined)
  if (named.requested !== undefined && names && named.requested !== `${provider}/${model}`) {
    add('model', `contradicts "model", which is ${JSON.stringify(named.requested)}`)
  }
  if (asked.provider === undefined && (key ?? endpoint) !== undefined) add('provider', 'must say whom it is for')
  else if (names && provider === '') add('provider', 'is required: the gateway has no default model (OPENCODE_MODEL)')
  else if (names && model === '') add('model', 'is required with this provider')
  if (isSlot && endpoint === undefined && (key === undefined || providerAddresses[provider] === undefined)) {
    add(
      'provider',
      `${JSON.stringify(provider)} is neither a provider configuration of yours nor behind the model proxy: bring a key for it, or an endpoint`,
    )
  } else if (isSlot && !choices.slots) {
    add('provider', 'can be reached only with a default model of the gateway (OPENCODE_MODEL)')
  }
  if (!isSlot && choices.providers.get(provider)?.includes(model) === false) {
    add('model', `is not one of provider ${JSON.stringify(provider)}`)
  }
  if (endpoint !== undefined && !isAllowedEndpoint(endpoint, choices.endpointHosts)) {
    add('api_endpoint', 'is not at a host that may be named (MODEL_ENDPOINT_HOSTS)')
  }
  if (dialect === 'messages' && temperature > 1) add('temperature', 'must be at most 1 for this provider')
  if (asked.reasoning_effort !== undefined && (dialect === 'messages' || dialect === 'google')) {
    add('reasoning_effort', 'has no field in the API of this provider')
  }
  return problems
}

function split(model = ''): { provider: string; model: string } {
  const [provider = '', ...rest] = model.split('/')
  return { provider, model: rest.join('/') }
}

export function refusal(problems: readonly FieldProblem[]): GatewayError {
  const text = problems.map(({ field, reason }) => `${field} ${reason}`).join('; ')
  return new GatewayError('UNSUPPORTED_OPTION', `${text}.`, { details: oneOrAll([...problems]) })
}
