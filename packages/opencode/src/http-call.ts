import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent, request as requestOverTls } from 'node:https'
import type { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { TLSSocket } from 'node:tls'

export interface HttpCallsOptions {
  /** Until a connection stands, milliseconds. */
  connectTimeoutMs: number
  /** Opens a connection, where the URL does not lead to one. */
  connect?: ((signal: AbortSignal) => Promise<Socket>) | undefined
}

export interface HttpCall {
  method: string
  headers: Readonly<Record<string, string>>
  body?: string | undefined
  signal: AbortSignal
}

/** HTTP over connections that are kept. */
export interface HttpCalls {
  /** Settles when the headers have come; the caller reads or destroys the answer. An abort breaks off both. */
  send(url: URL, call: HttpCall): Promise<IncomingMessage>
  /** Breaks off what is under way; idempotent. */
  close(): void
}

/** How long a connection is kept that nobody uses, milliseconds. */
const KEPT_MS = 30_000

export function createHttpCalls({ connectTimeoutMs, connect }: HttpCallsOptions): HttpCalls {
  const closing = new AbortController()
  const kept = { keepAlive: true, timeout: KEPT_MS }
  const agents = { 'http:': new Agent(kept), 'https:': new TlsAgent(kept) }
  if (connect) {
    const open = async (connected: (error: Error | null, socket?: Socket) => void): Promise<void> => {
      let socket: Socket
      try {
        socket = await connect(AbortSignal.any([closing.signal, AbortSignal.timeout(connectTimeoutMs)]))
      } catch (error) {
        connected(error instanceof Error ? error : new Error(String(error)))
        return
      }
      connected(null, socket)
    }
    agents['http:'].createConnection = (_options, connected) => void open(connected as Parameters<typeof open>[0])
  }

  return {
    send(url, { body, headers, method, signal }) {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
      if (closing.signal.aborted) throw new Error('the connections are closed')
      signal.throwIfAborted()
      const secure = url.protocol === 'https:'
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const options = { method, headers: { ...headers, ...length }, signal, agent: agents[secure ? 'https:' : 'http:'] }
      const outgoing = (secure ? requestOverTls : request)(url, options)
      // A request whose connection is being opened does not tell that it was destroyed.
      const onAbort = (): void => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      const settled = (): void => signal.removeEventListener('abort', onAbort)
      promise.then(settled, settled)
      limitConnecting(outgoing, connectTimeoutMs, reject)
      outgoing.on('error', (error) => reject(signal.aborted ? signal.reason : error))
      outgoing.on('close', () => reject(new Error('the connection was closed without an answer')))
      outgoing.on('response', (answer) => resolve(addAbortSignal(signal, answer)))
      outgoing.end(body)
      return promise
    },
    close() {
      closing.abort(new Error('the connections are closed'))
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

function limitConnecting(outgoing: ClientRequest, timeoutMs: number, onLate: (error: Error) => void): void {
  const late = setTimeout(() => {
    const error = new Error(`no connection within ${timeoutMs} ms`)
    outgoing.destroy(error)
    onLate(error)
  }, timeoutMs)
  const stands = (): void => clearTimeout(late)
  outgoing.once('close', stands)
  outgoing.once('socket', (socket: Socket) => {
    if (socket.connecting) socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', stands)
    else stands()
  })
}
