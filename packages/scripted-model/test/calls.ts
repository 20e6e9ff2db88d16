/** The deltas of a streamed answer, put together, and how the stream ended. */
export interface Streamed {
  readonly content: string
  readonly reasoning: string
  readonly calls: readonly { readonly name: string; readonly args: string }[]
  readonly finishReason: string | undefined
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | undefined
  readonly deltaCount: number
  readonly done: boolean
}

export interface Body {
  readonly messages: readonly unknown[]
  readonly [key: string]: unknown
}

export function user(content: unknown): { role: 'user'; content: unknown } {
  return { role: 'user', content }
}

/** An assistant message with one tool call, and its result, as a client sends them back. */
export function toolRound(id: string): unknown[] {
  const call = { id, type: 'function', function: { name: 'bash', arguments: '{}' } }
  return [
    { role: 'assistant', content: '', tool_calls: [call] },
    { role: 'tool', tool_call_id: id, content: 'ok' },
  ]
}

export function post(
  url: string,
  body: Body,
  options: { session?: string; signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(options.session ? { 'x-session-id': options.session } : {}) },
    body: JSON.stringify({ model: 'scripted', ...body }),
    ...(options.signal ? { signal: options.signal } : {}),
  })
}

/** The answer's text, from a call without a stream. */
export async function say(
  url: string,
  messages: readonly unknown[],
  body: Record<string, unknown> = {},
): Promise<string> {
  const response = await post(url, { messages, ...body })
  const answer = (await response.json()) as { choices: [{ message: { content: string } }] }
  return answer.choices[0].message.content
}

interface Chunk {
  readonly choices: readonly {
    readonly delta: {
      readonly content?: string
      readonly reasoning_content?: string
      readonly tool_calls?: readonly { index: number; function: { name?: string; arguments: string } }[]
    }
    readonly finish_reason: string | null
  }[]
  readonly usage?: Streamed['usage']
}

export async function readStream(response: Response): Promise<Streamed> {
  const frames = (await response.text()).split('\n\n').filter((frame) => frame.startsWith('data: '))
  const chunks = frames.filter((frame) => frame !== 'data: [DONE]').map((frame) => JSON.parse(frame.slice(6)) as Chunk)
  const choices = chunks.flatMap((chunk) => chunk.choices)
  const calls: { name: string; args: string }[] = []
  for (const part of choices.flatMap((choice) => choice.delta.tool_calls ?? [])) {
    const call = (calls[part.index] ??= { name: '', args: '' })
    call.name += part.function.name ?? ''
    call.args += part.function.arguments
  }
  return {
    content: choices.map((choice) => choice.delta.content ?? '').join(''),
    reasoning: choices.map((choice) => choice.delta.reasoning_content ?? '').join(''),
    calls,
    finishReason: choices.findLast((choice) => choice.finish_reason !== null)?.finish_reason ?? undefined,
    usage: chunks.findLast((chunk) => chunk.usage !== undefined)?.usage,
    deltaCount: choices.filter((choice) => choice.delta.content !== undefined).length,
    done: frames.at(-1) === 'data: [DONE]',
  }
}
