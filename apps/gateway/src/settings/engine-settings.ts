/** Secrets an engine of our own is given. */
export interface EngineSecrets {
  authJson: string | undefined
  authToken: string | undefined
  configJson: string | undefined
  /** By the name of their variable. */
  providerKeys: Readonly<Record<string, string>>
}

export const noSecrets: EngineSecrets = {
  authJson: undefined,
  authToken: undefined,
  configJson: undefined,
  providerKeys: {},
}

export interface EngineSettingsOptions {
  secrets: EngineSecrets
  /** Model of a request that names none. */
  model: string | undefined
  scriptedModelUrl: string | undefined
}

export interface EngineSettings {
  config: Record<string, unknown>
  auth: Record<string, unknown>
  environment: Record<string, string>
}

/** Name of the scripted model, as requests may give it. */
export const SCRIPTED_MODEL = 'scripted/scripted'

/** What the operator's settings, or the scripted model in their place, make of the engine. */
export function engineSettings({ secrets, model, scriptedModelUrl }: EngineSettingsOptions): EngineSettings {
  const { authJson, authToken, configJson, providerKeys } = secrets
  const scripted = scriptedModelUrl === undefined ? {} : scriptedProvider(scriptedModelUrl)
  return {
    config: { ...scripted, ...parse(configJson), ...(model === undefined ? {} : { model }) },
    auth: parse(authJson),
    environment: { ...providerKeys, ...(authToken === undefined ? {} : { OPENCODE_AUTH_TOKEN: authToken }) },
  }
}

function scriptedProvider(baseURL: string): Record<string, unknown> {
  const models = {
    scripted: { name: 'Scripted', tool_call: true, reasoning: true, limit: { context: 200_000, output: 32_000 } },
  }
  return {
    model: SCRIPTED_MODEL,
    small_model: SCRIPTED_MODEL,
    provider: {
      scripted: {
        npm: '@ai-sdk/openai-compatible',
        name: 'Scripted model',
        options: { baseURL, apiKey: 'none' },
        models,
      },
    },
  }
}

/** JSON that the configuration has found to be an object. */
function parse(text: string | undefined): Record<string, unknown> {
  const value: unknown = text === undefined ? {} : JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new Error('a setting with JSON holds no object')
  return { ...value }
}
