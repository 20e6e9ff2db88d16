import { fieldsOf, textOf, type Fields } from './fields.ts'
import { isProxiedSdk, providerAddresses } from './provider-addresses.ts'
import { substitute } from './substitute.ts'
import { createUpstream, type Upstream } from './upstream.ts'

/** What an engine without a proxy in front of its providers is given. */
export interface EngineSettings {
  config: Record<string, unknown>
  /** Stored credentials: provider → credential. */
  auth: Record<string, unknown>
  environment: Record<string, string>
}

export interface SplitOptions {
  settings: EngineSettings
  /** Provider that reads the key in a variable of the environment. */
  providerOfVariable: Readonly<Record<string, string>>
  readText(path: string): string
}

export interface SplitSettings {
  /** What the engine is given still: no key of a provider that is proxied. */
  engine: EngineSettings
  upstreams: ReadonlyMap<string, Upstream>
  /** Providers that the engine calls itself, with their credentials. */
  straight: readonly StraightProvider[]
}

export interface StraightProvider {
  provider: string
  /** In words. */
  why: string
}

/** Takes every provider that can be proxied, with its key, out of what an engine is given. */
export function splitSettings({ settings, providerOfVariable, readText }: SplitOptions): SplitSettings {
  const { config, auth, environment } = settings
  const declared = fieldsOf(config['provider'])
  const keyed = Object.keys(environment).flatMap((name) => providerOfVariable[name] ?? [])
  const listed = config['enabled_providers']
  const names = new Set([...Object.keys(declared), ...keyed, ...Object.keys(auth)])
  const upstreams = new Map<string, Upstream>()
  const straight: StraightProvider[] = []
  for (const name of names) {
    if (Array.isArray(listed) && !listed.includes(name)) continue
    const why = obstacle(name, fieldsOf(declared[name]), auth[name])
    if (why === undefined) upstreams.set(name, upstreamOf(name))
    else straight.push({ provider: name, why })
  }

  function upstreamOf(name: string): Upstream {
    const provider = fieldsOf(declared[name])
    const options = fieldsOf(provider['options'])
    const fill = (value: unknown): string | undefined => {
      const text = textOf(value)
      return text === undefined ? undefined : textOf(substitute(text, { variables: environment, readText }))
    }
    const variables = [
      ...(Array.isArray(provider['env']) ? provider['env'].map(String) : []),
      ...Object.keys(environment).filter((variable) => providerOfVariable[variable] === name),
    ]
    const fromEnvironment = variables.map((variable) => environment[variable]).find((value) => value !== undefined)
    const headers = Object.entries(fieldsOf(options['headers'])).flatMap(([header, value]) => {
      const text = fill(value)
      return text === undefined ? [] : [[header, text] as const]
    })
    return createUpstream(fill(addressOf(name, provider)) ?? '', {
      headers: Object.fromEntries(headers),
      key: fill(options['apiKey']) ?? textOf(fieldsOf(auth[name])['key']) ?? fromEnvironment,
    })
  }

  const isStraight = (name: string | undefined): boolean => straight.some(({ provider }) => provider === name)
  return {
    upstreams,
    straight,
    engine: {
      config: {
        ...config,
        provider: Object.fromEntries(
          Object.entries(declared).map(([name, provider]) => [
            name,
            upstreams.has(name) ? withoutSecrets(fieldsOf(provider)) : provider,
          ]),
        ),
      },
      auth: Object.fromEntries(Object.entries(auth).filter(([name]) => isStraight(name))),
      environment: Object.fromEntries(
        Object.entries(environment).filter(([variable]) => {
          const provider = providerOfVariable[variable]
          return provider === undefined || isStraight(provider)
        }),
      ),
    },
  }
}

/** Why the engine has to call the provider itself, if it has to. */
function obstacle(name: string, provider: Fields, credential: unknown): string | undefined {
  const type = fieldsOf(credential)['type']
  if (credential !== undefined && type !== 'api')
    return `its credentials of type "${String(type)}" only the engine can use`
  if (!isProxiedSdk(provider['npm']))
    return `its SDK "${String(provider['npm'])}" speaks in a way the proxy does not know`
  if (addressOf(name, provider) === undefined) return 'its address is not known; set "baseURL" in its options'
  return undefined
}

function addressOf(name: string, provider: Fields): string | undefined {
  const options = fieldsOf(provider['options'])
  const resource = textOf(options['resourceName'])
  const azure = name === 'azure' && resource !== undefined ? `https://${resource}.openai.azure.com/openai` : undefined
  return textOf(options['baseURL']) ?? textOf(provider['api']) ?? azure ?? providerAddresses[name]
}

function withoutSecrets(provider: Fields): Fields {
  const { apiKey: _key, headers: _headers, baseURL: _address, ...options } = fieldsOf(provider['options'])
  return { ...provider, options }
}
