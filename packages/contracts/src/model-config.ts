import { Type, type Static } from 'typebox'

const Text = (maxLength: number, examples: string[]) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[\\x21-\\x7e]+$', examples })

export const ModelName = Text(256, ['claude-sonnet-4-5'])

/** A key of a provider, as it stands in a header. */
export const ApiKeyText = Type.String({ minLength: 1, maxLength: 4096, pattern: '^[\\x21-\\x7e]+$' })

export const Endpoint = Type.String({
  maxLength: 2048,
  pattern: '^https?://',
  examples: ['http://127.0.0.1:11434/v1'],
  description: 'Base URL of an API; its host must be among MODEL_ENDPOINT_HOSTS.',
})

/** What a request asks of the model itself. */
export const ModelConfig = Type.Object(
  {
    provider: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9._-]{1,64}$',
        examples: ['anthropic', 'openai', 'google', 'openrouter', 'local'],
        description:
          'As `model` before its slash, or the name of a provider configuration. With `api_endpoint` it says how that is spoken to.',
      }),
    ),
    model: Type.Optional(ModelName),
    model_version: Type.Optional(Text(64, ['20250929'])),
    api_key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        pattern: '^[\\x21-\\x7e]+$',
        writeOnly: true,
        description:
          'Used for this provider in place of the key of the gateway. Kept encrypted until its run has ended, without ENCRYPTION_KEY in memory alone, and never told. That of `POST /sessions` is held in memory for its later prompts.',
      }),
    ),
    api_endpoint: Type.Optional(Endpoint),
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
    max_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'Of one answer.' })),
    reasoning_effort: Type.Optional(Type.Enum(['minimal', 'low', 'medium', 'high'])),
    enabled_tools: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }), {
        maxItems: 50,
        uniqueItems: true,
        description: 'The tools that the model is offered; the agent may use no other.',
        examples: [['read', 'grep', 'glob']],
      }),
    ),
  },
  {
    $id: 'ModelConfig',
    additionalProperties: false,
    minProperties: 1,
    description: 'Each reaches the provider in the field its API has for it; what cannot is refused with 422.',
  },
)
export type ModelConfig = Static<typeof ModelConfig>
