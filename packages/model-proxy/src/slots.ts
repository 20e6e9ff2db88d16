import type { Dialect } from './dialect.ts'
import type { Upstream } from './upstream.ts'

/**
 * An engine knows the models it was started with. For any other there is a provider for each dialect with one model,
 * whose calls the proxy sends where a run wants them, under the name that the run gives.
 */
export const slots = {
  chat: { provider: 'gateway-chat', npm: '@ai-sdk/openai-compatible' },
  responses: { provider: 'gateway-responses', npm: '@ai-sdk/openai' },
  messages: { provider: 'gateway-messages', npm: '@ai-sdk/anthropic' },
  google: { provider: 'gateway-google', npm: '@ai-sdk/google' },
} as const satisfies Record<Dialect, { provider: string; npm: string }>

const SLOT_MODEL = 'any'
const CONTEXT_TOKENS = 128_000
const OUTPUT_TOKENS = 32_000

export const slotModel = (dialect: Dialect): string => `${slots[dialect].provider}/${SLOT_MODEL}`

/** What the engine's configuration declares for them. */
export function slotProviders(): Record<string, unknown> {
  const model = { tool_call: true, temperature: true, limit: { context: CONTEXT_TOKENS, output: OUTPUT_TOKENS } }
  return Object.fromEntries(
    Object.values(slots).map(({ provider, npm }) => [provider, { npm, options: {}, models: { [SLOT_MODEL]: model } }]),
  )
}

/** Nowhere: only a run with an address of its own gets through, and its calls go there. */
export const slotUpstreams: ReadonlyMap<string, Upstream> = new Map(
  Object.values(slots).map(({ provider }) => [
    provider,
    { origin: 'http://slot.invalid', basePath: '', headers: {}, key: undefined },
  ]),
)

/** How a provider is spoken to that is named in a request; what is not known by name is compatible with OpenAI. */
export function dialectOfProvider(provider: string): Dialect {
  if (provider === 'anthropic') return 'messages'
  if (provider === 'google') return 'google'
  return provider === 'openai' ? 'responses' : 'chat'
}
