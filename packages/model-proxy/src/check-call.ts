import type { Dialect } from './dialect.ts'

/** The cheapest call that shows whether a key, an address and, where there is one, a model are right. */
export interface CheckCall {
  call: 'prompt' | 'models'
  method: 'GET' | 'POST'
  /** Below the provider's base URL. */
  path: string
  headers: Readonly<Record<string, string>>
  body: string | undefined
}

/** What OpenAI's responses take at least. */
const MIN_RESPONSE_TOKENS = 16

const keyHeader: Readonly<Record<Dialect, (key: string) => Record<string, string>>> = {
  chat: (key) => ({ authorization: `Bearer ${key}` }),
  responses: (key) => ({ authorization: `Bearer ${key}` }),
  messages: (key) => ({ 'x-api-key': key }),
  google: (key) => ({ 'x-goog-api-key': key }),
}

const messages = [{ role: 'user', content: 'Hi' }]

const prompts: Readonly<Record<Dialect, (model: string) => { path: string; body: object }>> = {
  chat: (model) => ({ path: '/chat/completions', body: { model, messages, max_tokens: 1 } }),
  responses: (model) => ({ path: '/responses', body: { model, input: 'Hi', max_output_tokens: MIN_RESPONSE_TOKENS } }),
  messages: (model) => ({ path: '/messages', body: { model, messages, max_tokens: 1 } }),
  google: (model) => ({
    path: `/models/${encodeURIComponent(model)}:generateContent`,
    body: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig: { maxOutputTokens: 1 } },
  }),
}

export function checkCall(
  dialect: Dialect,
  { key, model }: { key: string | undefined; model: string | undefined },
): CheckCall {
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    ...(key === undefined ? {} : keyHeader[dialect](key)),
    ...(dialect === 'messages' ? { 'anthropic-version': '2023-06-01' } : {}),
  }
  if (model === undefined) return { call: 'models', method: 'GET', path: '/models', headers, body: undefined }
  const { path, body } = prompts[dialect](model)
  const withType = { ...headers, 'content-type': 'application/json' }
  return { call: 'prompt', method: 'POST', path, headers: withType, body: JSON.stringify(body) }
}
