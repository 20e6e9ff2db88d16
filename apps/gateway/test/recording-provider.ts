import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Lifetime } from './scope.ts'

export interface RecordedCall {
  path: string
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

export interface RecordingProvider {
  /** "http://127.0.0.1:port" */
  address: string
  calls: RecordedCall[]
}

/** Speaks every dialect that engines know, says one word where it is to stream, and keeps what it was asked. */
export async function startRecordingProvider(t: Lifetime): Promise<RecordingProvider> {
  const calls: RecordedCall[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const path = request.url ?? ''
      calls.push({ path, headers: request.headers, body: Object(body) })
      if (Object(body).stream !== true && !path.includes(':stream')) {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"recorded":true}')
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const answer = path.includes(':streamGenerateContent')
        ? google
        : path.endsWith('/messages')
          ? messages
          : path.endsWith('/responses')
            ? responses
            : chat
      for (const message of answer) {
        const { type } = message
        const event = answer === chat || answer === google ? '' : `event: ${String(type)}\n`
        response.write(`${event}data: ${JSON.stringify(message)}\n\n`)
      }
      response.end(answer === chat ? 'data: [DONE]\n\n' : '')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls }
}

type Messages = readonly Readonly<Record<string, unknown>>[]

const chunk = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm' }
const chat: Messages = [
  { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'recorded' }, finish_reason: null }] },
  { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  { ...chunk, choices: [], usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 } },
]

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [],
  stop_reason: null,
  stop_sequence: null,
}
const messages: Messages = [
  { type: 'message_start', message: { ...message, usage: { input_tokens: 11, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'recorded' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 3 } },
  { type: 'message_stop' },
]

const part = { item_id: 'item_1', output_index: 0, content_index: 0 }
const text = { type: 'output_text', text: 'recorded', annotations: [] }
const item = { id: 'item_1', type: 'message', role: 'assistant', status: 'completed', content: [text] }
const usage = {
  input_tokens: 11,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 3,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 14,
}
const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', status: 'completed', output: [item] }
const responses: Messages = [
  { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
  { type: 'response.output_text.delta', ...part, delta: 'recorded' },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.completed', response: { ...response, usage } },
]

const google: Messages = [
  {
    candidates: [{ content: { role: 'model', parts: [{ text: 'recorded' }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 3, totalTokenCount: 14 },
  },
]
