import type { Usage } from './step.ts'

export interface Delta {
  readonly role?: 'assistant'
  readonly content?: string
  readonly reasoning_content?: string
  readonly tool_calls?: readonly {
    readonly index: number
    readonly id?: string
    readonly type?: 'function'
    readonly function: { readonly name?: string; readonly arguments: string }
  }[]
}

export interface ChunkPart {
  readonly choices: readonly { readonly index: number; readonly delta: Delta; readonly finish_reason: string | null }[]
  readonly usage?: unknown
}

export function completionChunk(answer: { id: string; model: string }, part: ChunkPart): Record<string, unknown> {
  return { ...answer, object: 'chat.completion.chunk', created: createdAt(), ...part }
}

/** The whole answer as one object, put together from the deltas a stream would have sent. */
export function completionBody(
  answer: { id: string; model: string },
  deltas: readonly Delta[],
  reason: string | undefined,
  usage: Usage,
): Record<string, unknown> {
  const reasoning = deltas.map((delta) => delta.reasoning_content ?? '').join('')
  const content = deltas.map((delta) => delta.content ?? '').join('')
  const calls: {
    id: string | undefined
    type: 'function'
    function: { name: string | undefined; arguments: string }
  }[] = []
  for (const part of deltas.flatMap((delta) => delta.tool_calls ?? [])) {
    const open = calls[part.index]
    if (open) open.function.arguments += part.function.arguments
    else
      calls[part.index] = {
        id: part.id,
        type: 'function',
        function: { name: part.function.name, arguments: part.function.arguments },
      }
  }
  const message = {
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
  const choices = [{ index: 0, message, finish_reason: reason ?? null }]
  return { ...answer, object: 'chat.completion', created: createdAt(), choices, usage: usageBody(usage) }
}

export function usageBody({ input, output, cached, reasoning }: Usage): Record<string, unknown> {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}

/** Seconds since the epoch, as the API has it. */
function createdAt(): number {
  return Math.floor(Date.now() / 1000)
}
