import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Late, onceConnected, type Connections } from './connections.ts'
import { responseHeaders } from './headers.ts'
import { whyUnreached } from './reach.ts'
import type { Upstream } from './upstream.ts'

export interface ForwardOptions {
  connections: Connections
  upstream: Upstream
  path: string
  headers: Record<string, string | string[]>
  body: Buffer
  response: ServerResponse
  maxAnswerBytes: number
  /** Until the provider begins to answer, and between two pieces of its answer; milliseconds. */
  silenceTimeoutMs: number
  /** Sees the answer on its way; must not keep the chunks. */
  tap?: AnswerTap | undefined
  /** Breaks the call off, as if the engine had left. */
  signal: AbortSignal
}

export interface AnswerTap {
  begin(status: number, headers: IncomingHttpHeaders): void
  chunk(chunk: Buffer): void
}

/** How a call ended: with a whole answer, or with what broke it off. */
export type ForwardEnd =
  | { kind: 'answered'; status: number }
  /** The engine has nothing yet, and still waits. `unreached`: why no connection came about, if that is it. */
  | { kind: 'refused'; why: 'unsendable' | 'unreachable' | 'late' | 'garbage'; unreached?: string }
  /** The engine has a part of the answer, and its connection is broken. */
  | { kind: 'broken'; why: 'provider' | 'too_large' | 'late'; status: number }
  /** The engine has gone. `sent`: not before the provider had the call; `status` is 0 when it had not answered yet. */
  | { kind: 'left'; sent: boolean; status: number }

/**
 * Sends a call to its provider and the answer back, chunk by chunk as they come: the provider is read as fast as the
 * engine reads. Settles when nothing of the call is left; never rejects. After `refused` the caller has to answer the engine.
 */
export function forward(options: ForwardOptions): Promise<ForwardEnd> {
  const { connections, upstream, response, maxAnswerBytes, silenceTimeoutMs, tap } = options
  const { promise, resolve } = Promise.withResolvers<ForwardEnd>()
  if (response.destroyed) return Promise.resolve({ kind: 'left', sent: false, status: 0 })
  const { origin, basePath } = upstream
  const path = basePath + options.path
  let outgoing: ClientRequest
  try {
    outgoing = connections.request({ origin, path, method: 'POST', headers: options.headers })
  } catch {
    // A key of the operator with a line break, for one, cannot stand in a header.
    return Promise.resolve({ kind: 'refused', why: 'unsendable' })
  }
  let answer: IncomingMessage | undefined
  let silence: NodeJS.Timeout | undefined
  let status = 0
  let bytes = 0
  let sent = false
  let left = false
  let tooLarge = false
  let ended = false

  const onSilence = (): void => {
    // It is the engine that does not read.
    if (response.writableNeedDrain) silence?.refresh()
    else giveUp(new Late(`the provider was silent for ${silenceTimeoutMs} ms`))
  }
  const onDrain = (): void => void answer?.resume()
  const onClose = (): void => {
    if (response.writableFinished) return
    left = true
    giveUp(new Error('the engine has left'))
  }
  const onAbort = (): void => void response.destroy()
  const end = (how: ForwardEnd): void => {
    ended = true
    clearTimeout(silence)
    options.signal.removeEventListener('abort', onAbort)
    response.off('drain', onDrain)
    response.off('close', onClose)
    resolve(how)
  }
  const fail = (error: Error): void => {
    if (ended) return
    if (left) return end({ kind: 'left', sent, status })
    if (response.headersSent) {
      response.destroy()
      return end({ kind: 'broken', why: tooLarge ? 'too_large' : error instanceof Late ? 'late' : 'provider', status })
    }
    const why = error instanceof Late ? 'late' : isGarbage(error) || answer ? 'garbage' : 'unreachable'
    end({ kind: 'refused', why, ...(sent ? {} : { unreached: whyUnreached(error) }) })
  }
  /** A request that waits for its connection, or whose connection has ended, does not tell that it was destroyed. */
  const giveUp = (error: Error): void => {
    outgoing.destroy(error)
    fail(error)
  }
  response.on('drain', onDrain)
  response.on('close', onClose)
  options.signal.addEventListener('abort', onAbort, { once: true })
  if (options.signal.aborted) onAbort()

  outgoing.once('socket', (socket) =>
    onceConnected(socket, () => {
      if (ended) return
      sent = true
      silence = setTimeout(onSilence, silenceTimeoutMs)
    }),
  )
  outgoing.on('response', (incoming) => {
    answer = incoming
    status = incoming.statusCode ?? 0
    silence?.refresh()
    tap?.begin(status, incoming.headers)
    // A redirect would lead the engine past the proxy.
    if (status >= 300 && status < 400) return giveUp(new Error('the provider redirects'))
    if (status < 200) return giveUp(new Error(`the provider answers with the status ${status}`))
    response.writeHead(status, responseHeaders(incoming.headers))
    incoming.on('data', (chunk: Buffer) => {
      silence?.refresh()
      bytes += chunk.length
      if (bytes > maxAnswerBytes) {
        tooLarge = true
        return giveUp(new Error('the answer is too large'))
      }
      tap?.chunk(chunk)
      if (!response.write(chunk)) incoming.pause()
    })
    incoming.on('end', () => {
      if (ended) return
      response.end()
      end({ kind: 'answered', status })
      // Who answers before it has read the call may never read the rest of it.
      if (!outgoing.writableFinished) outgoing.destroy()
    })
    incoming.on('error', fail)
  })
  outgoing.on('error', fail)
  outgoing.on('close', () => {
    // A whole answer may still be on its way to an engine that reads slowly.
    if (!answer?.complete) fail(new Error('the connection was closed without an answer'))
  })
  outgoing.end(options.body)
  return promise
}

const isGarbage = (error: Error): boolean => 'code' in error && String(error.code).startsWith('HPE_')
