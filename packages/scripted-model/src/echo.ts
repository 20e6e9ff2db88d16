import type { RecordedRequest } from './recorder.ts'

/** What the model received, as JSON with one member per field asked for; null for what was not sent. */
export function echoRequest(fields: readonly string[], request: RecordedRequest): string {
  const received: Record<string, unknown> = {
    system: request.system,
    model: request.model,
    temperature: request.temperature,
    max_tokens: request.maxTokens,
    tools: request.tools,
    headers: request.headers,
    body: request.body,
  }
  return JSON.stringify(Object.fromEntries(fields.map((field) => [field, received[field] ?? null])))
}
