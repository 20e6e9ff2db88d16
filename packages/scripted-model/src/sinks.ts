import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { completionBody, completionChunk, usageBody } from './completion.ts'
import type { Delta } from './completion.ts'
import type { Fault, Usage } from './step.ts'

/** Where an answer goes: a server-sent event stream, or one JSON body. */
export interface Sink {
  /** Sends the headers, if not yet sent. */
  begin(): Promise<void>
  send(delta: Delta): Promise<void>
  /** Ends the answer; undefined = without a finish_reason. */
  finish(reason: string | undefined, usage: Usage): Promise<void>
  fail(error: Extract<Fault, { kind: 'error' }>): void
  /** Resets the connection once what was said so far is on its way. */
  drop(): Promise<void>
}

export interface SinkOptions {
  readonly response: ServerResponse
  readonly id: string
  readonly model: string
  readonly includeUsage: boolean
  readonly signal: AbortSignal
}

export function createStreamSink({ response, id, model, includeUsage, signal }: SinkOptions): Sink {
  const write = async (text: string): Promise<void> => {
    if (!response.write(text)) await once(response, 'drain', { signal })
  }
  const chunk = (part: Parameters<typeof completionChunk>[1]): Promise<void> =>
    write(`data: ${JSON.stringify(completionChunk({ id, model }, part))}\n\n`)
  const begin = async (): Promise<void> => {
    if (response.headersSent) return
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
    await chunk({ choices: [{ index: 0, delta: { role: 'assistant' }, finish_reason: null }] })
  }
  return {
    ...createFailures(response),
    begin,
    async send(delta) {
      await begin()
      await chunk({ choices: [{ index: 0, delta, finish_reason: null }] })
    },
    async finish(reason, usage) {
      await begin()
      if (reason !== undefined) await chunk({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })
      if (reason !== undefined && includeUsage) await chunk({ choices: [], usage: usageBody(usage) })
      response.end('data: [DONE]\n\n')
    },
  }
}

export function createJsonSink({ response, id, model }: SinkOptions): Sink {
  const deltas: Delta[] = []
  return {
    ...createFailures(response),
    async begin() {},
    async send(delta) {
      deltas.push(delta)
    },
    async finish(reason, usage) {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
      response.end(JSON.stringify(completionBody({ id, model }, deltas, reason, usage)))
    },
  }
}

function createFailures(response: ServerResponse): Pick<Sink, 'fail' | 'drop'> {
  return {
    fail({ status, code, message, retryAfter }) {
      response.writeHead(status, {
        'content-type': 'application/json; charset=utf-8',
        ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      })
      response.end(JSON.stringify({ error: { message, type: 'scripted_error', code } }))
    },
    async drop() {
      // An event stream's comment; its callback tells that the text before it has left this process.
      if (response.headersSent) await new Promise((resolve) => response.write(': dropped\n\n', resolve))
      response.socket?.resetAndDestroy()
    },
  }
}
