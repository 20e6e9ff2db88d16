/**
 * Addresses of the providers that the engine's catalogue knows by name, as their SDKs have them: its entries name none
 * where the SDK has a default.
 */
export const providerAddresses: Readonly<Record<string, string>> = {
  anthropic: 'https://api.anthropic.com/v1',
  cerebras: 'https://api.cerebras.ai/v1',
  deepseek: 'https://api.deepseek.com',
  'fireworks-ai': 'https://api.fireworks.ai/inference/v1',
  google: 'https://generativelanguage.googleapis.com/v1beta',
  groq: 'https://api.groq.com/openai/v1',
  mistral: 'https://api.mistral.ai/v1',
  moonshotai: 'https://api.moonshot.ai/v1',
  openai: 'https://api.openai.com/v1',
  opencode: 'https://opencode.ai/zen/v1',
  openrouter: 'https://openrouter.ai/api/v1',
  togetherai: 'https://api.together.xyz/v1',
  xai: 'https://api.x.ai/v1',
}

/** SDKs whose calls are plain HTTP with the key in a header, to paths that the proxy knows. */
const proxiedSdks: ReadonlySet<string> = new Set([
  '@ai-sdk/anthropic',
  '@ai-sdk/azure',
  '@ai-sdk/cerebras',
  '@ai-sdk/deepinfra',
  '@ai-sdk/google',
  '@ai-sdk/groq',
  '@ai-sdk/mistral',
  '@ai-sdk/openai',
  '@ai-sdk/openai-compatible',
  '@ai-sdk/togetherai',
  '@ai-sdk/xai',
  '@openrouter/ai-sdk-provider',
])

/** Without the name of an SDK it is the catalogue's, which is one of these for every provider above. */
export const isProxiedSdk = (npm: unknown): boolean =>
  npm === undefined || (typeof npm === 'string' && proxiedSdks.has(npm))
