export interface ChatMessage {
  readonly role: string
  /** Text parts in order; a message whose content is a string has one. */
  readonly texts: readonly string[]
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
}

export interface ChatRequest {
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly temperature: number | undefined
  readonly maxTokens: number | undefined
  readonly tools: readonly { readonly name: string; readonly parameters: unknown }[]
  readonly messages: readonly ChatMessage[]
}

/** Reads the body of a chat completion request; throws on one that is not. */
export function readChatRequest(body: unknown): ChatRequest {
  const request = record(body)
  if (typeof request.model !== 'string') throw new Error('"model" must be a string')
  if (!Array.isArray(request.messages)) throw new Error('"messages" must be an array')
  return {
    model: request.model,
    stream: request.stream === true,
    includeUsage: record(request.stream_options).include_usage === true,
    temperature: number(request.temperature),
    maxTokens: number(request.max_completion_tokens) ?? number(request.max_tokens),
    tools: list(request.tools).map((tool) => {
      const described = record(record(tool).function)
      return { name: text(described.name), parameters: described.parameters }
    }),
    messages: request.messages.map((message: unknown) => readMessage(record(message))),
  }
}

function readMessage(message: Record<string, unknown>): ChatMessage {
  const { content } = message
  const texts =
    typeof content === 'string'
      ? [content]
      : list(content)
          .map((part) => record(part))
          .filter((part) => part.type === 'text')
          .map((part) => text(part.text))
  const toolCalls = list(message.tool_calls).map((call) => {
    const called = record(record(call).function)
    return { id: text(record(call).id), name: text(called.name), arguments: text(called.arguments) }
  })
  return { role: text(message.role), texts, toolCalls }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
