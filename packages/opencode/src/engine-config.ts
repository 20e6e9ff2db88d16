import { completeRules, type PermissionRules, type ProviderAccess } from '@opencode-gateway/contracts'
import { withoutAsking } from './permission-policy.ts'
import { fieldsOf } from './read.ts'

export type EngineConfig = Readonly<Record<string, unknown>>

export interface EngineConfigOptions {
  /** The operator's configuration of the engine. */
  operator: EngineConfig
  /** What agents may do at most. */
  permissions: PermissionRules
  /** Names of the environment variables the engine is given. */
  variables: readonly string[]
  /** Providers that the engine has stored credentials for. */
  authProviders: readonly string[]
  /** Providers that it reaches through the model proxy. */
  proxied?: Readonly<Record<string, ProviderAccess>>
}

export interface ComposedConfig {
  config: EngineConfig
  /** True when every model in use is declared in the configuration, so that no catalogue is needed. */
  selfContained: boolean
  /** Providers in use whose models only the engine's catalogue has. */
  catalogued: readonly string[]
}

/** Variables with a key, and the provider of the engine's catalogue that reads them. */
export const providerOfVariable: Readonly<Record<string, string>> = {
  ANTHROPIC_API_KEY: 'anthropic',
  AZURE_API_KEY: 'azure',
  CEREBRAS_API_KEY: 'cerebras',
  COHERE_API_KEY: 'cohere',
  DEEPSEEK_API_KEY: 'deepseek',
  FIREWORKS_API_KEY: 'fireworks-ai',
  GEMINI_API_KEY: 'google',
  GOOGLE_API_KEY: 'google',
  GOOGLE_GENERATIVE_AI_API_KEY: 'google',
  GROQ_API_KEY: 'groq',
  MISTRAL_API_KEY: 'mistral',
  MOONSHOT_API_KEY: 'moonshotai',
  OPENAI_API_KEY: 'openai',
  OPENCODE_API_KEY: 'opencode',
  OPENROUTER_API_KEY: 'openrouter',
  TOGETHER_API_KEY: 'togetherai',
  XAI_API_KEY: 'xai',
}

/** Names of the variables that carry a provider's key. */
export const providerVariables = Object.keys(providerOfVariable)

/**
 * The engine's configuration: the operator's, with our defaults below it and, above it, what a server without a person
 * in front of it cannot do without. Only providers somebody configured are enabled, since the engine would otherwise
 * send prompts to free hosted models of its vendor.
 */
export function composeEngineConfig({
  operator,
  permissions,
  variables,
  authProviders,
  proxied = {},
}: EngineConfigOptions): ComposedConfig {
  const declared = throughProxy(fieldsOf(operator['provider']) ?? {}, proxied)
  const keyed = variables.flatMap((name) => providerOfVariable[name] ?? [])
  const configured = [...new Set([...Object.keys(declared), ...keyed, ...authProviders])].sort()
  const listed = operator['enabled_providers']
  const enabled = Array.isArray(listed) ? listed.map(String) : configured
  const catalogued = enabled.filter((name) => !declaresModels(declared[name]))
  return {
    catalogued,
    config: {
      snapshot: false,
      lsp: false,
      formatter: false,
      ...operator,
      ...(Object.keys(declared).length > 0 ? { provider: declared } : {}),
      enabled_providers: enabled,
      // Here nothing asks: sub-agents live by these alone, and do not hand what they must ask for to anybody.
      permission: withoutAsking(completeRules(permissions)),
      autoupdate: false,
      share: 'disabled',
    },
    selfContained: catalogued.length === 0,
  }
}

function throughProxy(
  declared: EngineConfig,
  proxied: Readonly<Record<string, ProviderAccess>>,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(proxied).map(([name, access]) => {
    const provider = fieldsOf(declared[name]) ?? {}
    return [name, { ...provider, options: { ...fieldsOf(provider['options']), ...access } }] as const
  })
  return { ...declared, ...Object.fromEntries(entries) }
}

function declaresModels(provider: unknown): boolean {
  return Object.keys(fieldsOf(fieldsOf(provider)?.['models']) ?? {}).length > 0
}
