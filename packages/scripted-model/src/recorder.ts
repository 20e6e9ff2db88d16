import type { IncomingHttpHeaders } from 'node:http'
import type { ChatMessage, ChatRequest } from './chat-request.ts'
import type { CallKind, Conversation } from './conversation.ts'

/** `aborted`: the client left; `failed`: the script asked for an error or a dropped connection. */
export type RequestState = 'open' | 'answered' | 'failed' | 'aborted'

export interface RecordedRequest {
  /** When it came, milliseconds since the epoch. */
  readonly at: number
  readonly state: RequestState
  readonly kind: CallKind
  /** The engine's `x-session-id`. */
  readonly sessionId: string | undefined
  readonly model: string
  readonly temperature: number | undefined
  readonly maxTokens: number | undefined
  readonly stream: boolean
  /** Tool names, in the order sent. */
  readonly tools: readonly string[]
  readonly system: string
  /** The user's text which is played, and how many answers came after it. */
  readonly prompt: string
  readonly turn: number
  readonly messages: readonly ChatMessage[]
  readonly headers: IncomingHttpHeaders
  /** The whole parsed body. */
  readonly body: unknown
}

export interface OpenRequest {
  readonly recorded: RecordedRequest
  settle(state: Exclude<RequestState, 'open'>): void
}

export interface Recorder {
  readonly requests: readonly RecordedRequest[]
  open(): number
  add(call: {
    headers: IncomingHttpHeaders
    body: unknown
    request: ChatRequest
    conversation: Conversation
  }): OpenRequest
}

/** Keeps the last `maxRecorded` requests; `changed` is called on every new request and every new state. */
export function createRecorder(options: { maxRecorded: number; changed: () => void }): Recorder {
  const requests: RecordedRequest[] = []
  let open = 0
  return {
    requests,
    open: () => open,
    add({ headers, body, request, conversation }) {
      const sessionId = headers['x-session-id']
      const recorded: RecordedRequest & { state: RequestState } = {
        at: Date.now(),
        state: 'open',
        kind: conversation.kind,
        sessionId: typeof sessionId === 'string' ? sessionId : undefined,
        model: request.model,
        temperature: request.temperature,
        maxTokens: request.maxTokens,
        stream: request.stream,
        tools: request.tools.map((tool) => tool.name),
        system: conversation.system,
        prompt: conversation.prompt,
        turn: conversation.turn,
        messages: request.messages,
        headers,
        body,
      }
      requests.push(recorded)
      if (requests.length > options.maxRecorded) requests.shift()
      open += 1
      options.changed()
      return {
        recorded,
        settle(state) {
          if (recorded.state !== 'open') return
          recorded.state = state
          open -= 1
          options.changed()
        },
      }
    },
  }
}
