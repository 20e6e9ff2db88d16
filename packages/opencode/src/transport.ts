import type { Socket } from 'node:net'
import { Agent, request } from 'undici'
import type { buildConnector, Dispatcher } from 'undici'
import { answerError, EngineCallError, silence, strangeAnswer } from './engine-error.ts'

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
  stream(path: string, signal: AbortSignal): Promise<Dispatcher.ResponseData['body']>
  close(): Promise<void>
}

/**
 * Connections to one engine. The engine's long calls send no header until they end, so no timeout for headers or
 * bodies lives here: every call brings a signal with its deadline.
 */
export function createTransport(options: TransportOptions): Transport {
  const agent = new Agent({
    connect: options.connect
      ? connectorOf(options.connect, options.connectTimeoutMs)
      : { timeout: options.connectTimeoutMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
  })
  const authorization = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`

  const send = async (
    target: string,
    init: { method: string; headers: Record<string, string>; body?: string; signal: AbortSignal },
  ) =>
    await request(target, {
      dispatcher: agent,
      method: init.method,
      headers: { ...init.headers, authorization },
      signal: init.signal,
      ...(init.body === undefined ? {} : { body: init.body }),
    })

  return {
    async fetch(outgoing) {
      const what = `${outgoing.method} ${new URL(outgoing.url).pathname}`
      const body = outgoing.body === null ? undefined : await outgoing.text()
      const { signal, method } = outgoing
      try {
        const headers = Object.fromEntries(outgoing.headers)
        const answer = await send(outgoing.url, { method, headers, signal, ...(body === undefined ? {} : { body }) })
        const text = await readText(answer.body, options.maxAnswerBytes, what)
        const contentType = String(answer.headers['content-type'] ?? '')
        if (answer.statusCode >= 400) throw answerError(what, answer.statusCode, parseLoosely(text))
        if (answer.statusCode >= 300 || (text !== '' && !isJson(contentType))) throw strangeAnswer(what, contentType)
        const next = answer.headers['x-next-cursor']
        return new Response(answer.statusCode === 204 ? null : text, {
          status: answer.statusCode,
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
      const answer = await send(new URL(path, options.baseUrl).href, {
        method: 'GET',
        headers: { accept: 'text/event-stream' },
        signal,
      })
      const contentType = String(answer.headers['content-type'] ?? '')
      if (answer.statusCode === 200 && contentType.startsWith('text/event-stream')) return answer.body
      answer.body.on('error', () => undefined).destroy()
      if (answer.statusCode >= 400) throw answerError(what, answer.statusCode, undefined)
      throw strangeAnswer(what, contentType)
    },
    async close() {
      await agent.destroy()
    },
  }
}

function connectorOf(connect: (signal: AbortSignal) => Promise<Socket>, timeoutMs: number): buildConnector.connector {
  const open = async (callback: buildConnector.Callback): Promise<void> => {
    let socket: Socket
    try {
      socket = await connect(AbortSignal.timeout(timeoutMs))
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null)
      return
    }
    callback(null, socket)
  }
  return (_target, callback) => void open(callback)
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
