import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { answerError, EngineCallError, silence, strangeAnswer } from './engine-error.ts'
import { createHttpCalls } from './http-call.ts'

export interface TransportOptions {
  baseUrl: string
  username: string
  password: string
  /** Longest answer that is read, in bytes. */
  maxAnswerBytes: number
  connectTimeoutMs: number
  /** Opens a connection to the engine, where the base URL does not lead to it. */
  connect?: (signal: AbortSignal) => Promise<Socket>
}

export interface Transport {
  /** For the SDK: sends its request and answers with a body that is read whole. Refuses anything but JSON. */
  fetch(request: Request): Promise<Response>
  /** Opens a stream of server-sent events; the caller reads or destroys the body. */
  stream(path: string, signal: AbortSignal): Promise<Readable>
  close(): void
}

/**
 * Connections to one engine. The engine's long calls send no header until they end, so no timeout for headers or
 * bodies lives here: every call brings a signal with its deadline.
 */
export function createTransport({ baseUrl, username, password, maxAnswerBytes, ...rest }: TransportOptions): Transport {
  const calls = createHttpCalls(rest)
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

  return {
    async fetch(outgoing) {
      const what = `${outgoing.method} ${new URL(outgoing.url).pathname}`
      const body = outgoing.body === null ? undefined : await outgoing.text()
      const { signal, method } = outgoing
      try {
        const headers = { ...Object.fromEntries(outgoing.headers), authorization }
        const answer = await calls.send(new URL(outgoing.url), { method, headers, body, signal })
        const text = await readText(answer, maxAnswerBytes, what)
        const contentType = answer.headers['content-type'] ?? ''
        const status = answer.statusCode ?? 0
        if (status >= 400) throw answerError(what, status, parseLoosely(text))
        if (status >= 300 || (text !== '' && !isJson(contentType))) throw strangeAnswer(what, contentType)
        const next = answer.headers['x-next-cursor']
        return new Response(status === 204 ? null : text, {
          status,
          headers: {
            'content-type': 'application/json',
            ...(typeof next === 'string' ? { 'x-next-cursor': next } : {}),
          },
        })
      } catch (error) {
        if (signal.aborted || error instanceof EngineCallError) throw error
        throw silence(what, error)
      }
    },
    async stream(path, signal) {
      const what = `GET ${path}`
      const headers = { accept: 'text/event-stream', authorization }
      const answer = await calls.send(new URL(path, baseUrl), { method: 'GET', headers, signal })
      const { statusCode: status = 0 } = answer
      const contentType = answer.headers['content-type'] ?? ''
      if (status === 200 && contentType.startsWith('text/event-stream')) return answer
      answer.on('error', () => undefined).destroy()
      if (status >= 400) throw answerError(what, status, undefined)
      throw strangeAnswer(what, contentType)
    },
    close() {
      calls.close()
    },
  }
}

function isJson(contentType: string): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType)
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number, what: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      const message = `the engine's answer to ${what} is longer than ${maxBytes} bytes`
      throw new EngineCallError({ code: 'EXECUTOR_UNAVAILABLE', message })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
