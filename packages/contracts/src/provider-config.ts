import { Type, type Static } from 'typebox'
import { ApiKeyText, Endpoint, ModelName } from './model-config.ts'
import { Timestamp } from './values.ts'
import { wireLimits } from './wire-limits.ts'

/** Providers whose address is known, and every other API that speaks as OpenAI's chat completions do. */
export const providerKinds = [
  'anthropic',
  'cerebras',
  'deepseek',
  'fireworks-ai',
  'google',
  'groq',
  'mistral',
  'moonshotai',
  'openai',
  'opencode',
  'openrouter',
  'togetherai',
  'xai',
  'openai-compatible',
] as const
export type ProviderKind = (typeof providerKinds)[number]

/** Why a provider that was called to check its configuration did not answer as it should. */
export const providerFaults = [
  'auth',
  'not_found',
  'rate_limited',
  'rejected',
  'provider_error',
  'unreachable',
  'timeout',
  'bad_answer',
] as const
export type ProviderFault = (typeof providerFaults)[number]

const ProviderName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  examples: ['team-a'],
})
const orNull = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(schema: T) =>
  Type.Union([schema, Type.Null()])
const Version = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

export const ProviderParams = Type.Object({ name: ProviderName })

export const ProviderRequest = Type.Object(
  {
    kind: Type.Enum([...providerKinds], {
      description: 'How it is spoken to, and where unless `api_endpoint` says otherwise.',
    }),
    api_key: Type.Optional(
      Type.Union([ApiKeyText, Type.Null()], {
        writeOnly: true,
        description:
          'Kept encrypted, and never told. Left out: the key stays as it is, while `kind` and `api_endpoint` do. null: there is none.',
      }),
    ),
    api_endpoint: Type.Optional(Endpoint),
    model: Type.Optional(ModelName),
    default: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Used by requests that name no model and no provider; it needs a `model`. One of a tenant is it.',
      }),
    ),
  },
  {
    $id: 'ProviderRequest',
    additionalProperties: false,
    description: 'A provider configuration, whole: what is left out is not set, but for the key.',
  },
)
export type ProviderRequest = Static<typeof ProviderRequest>

const ofVersion = {
  version: Version,
  kind: Type.Enum([...providerKinds]),
  api_endpoint: orNull(Type.String()),
  model: orNull(Type.String()),
  has_api_key: Type.Boolean(),
}

export const Provider = Type.Object(
  {
    name: ProviderName,
    ...ofVersion,
    default: Type.Boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { $id: 'Provider', description: 'A provider configuration as it is now.' },
)
export type Provider = Static<typeof Provider>

export const ProviderList = Type.Object(
  { providers: Type.Array(Provider), next_cursor: orNull(Type.String()) },
  { $id: 'ProviderList' },
)

export const ProviderListQuery = Type.Object(
  {
    cursor: Type.Optional(Type.String({ maxLength: 128 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: wireLimits.pageSessions, default: 50 })),
  },
  { $id: 'ProviderListQuery', additionalProperties: false, description: 'A page, by name.' },
)
export type ProviderListQuery = Static<typeof ProviderListQuery>

export const ProviderVersionList = Type.Object(
  {
    versions: Type.Array(
      Type.Object({
        ...ofVersion,
        restored_from: orNull(Type.Integer({ description: 'The version it was made from by a rollback.' })),
        created_at: Timestamp,
      }),
    ),
  },
  { $id: 'ProviderVersionList', description: 'Versions that are kept, newest first.' },
)
export type ProviderVersionList = Static<typeof ProviderVersionList>

export const ProviderRollback = Type.Object(
  { version: Version },
  { $id: 'ProviderRollback', additionalProperties: false, description: 'The version to go back to.' },
)
export type ProviderRollback = Static<typeof ProviderRollback>

export const ProviderCheck = Type.Object(
  {
    name: ProviderName,
    version: Version,
    ok: Type.Boolean(),
    call: Type.Enum(['prompt', 'models'], {
      description: 'What was called: its model with the shortest prompt, or without one the list of its models.',
    }),
    latency_ms: Type.Integer({ minimum: 0, description: 'Until the answer was there, or it was given up.' }),
    provider_status: orNull(Type.Integer({ description: 'HTTP status of the answer.' })),
    fault: Type.Union([Type.Enum([...providerFaults]), Type.Null()]),
  },
  {
    $id: 'ProviderCheck',
    description: 'How a call with the configuration went. Nothing that the provider said is in it.',
  },
)
export type ProviderCheck = Static<typeof ProviderCheck>
