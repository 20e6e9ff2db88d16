import { Agent, request, type ClientRequest, type OutgoingHttpHeaders } from 'node:http'
import { Agent as TlsAgent, request as requestOverTls } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { urlToHttpOptions } from 'node:url'

export interface ConnectionsOptions {
  connectTimeoutMs: number
  /** To one origin at the same time; what is beyond waits. */
  maxConnections: number
}

export interface OutgoingCall {
  /** Scheme, host and port. */
  origin: string
  /** With its query, as it is to be sent. */
  path: string
  method: string
  headers: OutgoingHttpHeaders
  signal?: AbortSignal
}

/** Connections to providers, which are kept for the next call. */
export interface Connections {
  /** A request whose body the caller sends. It is destroyed with `Late` when no connection stands in time. */
  request(call: OutgoingCall): ClientRequest
  /** Breaks off what is under way; idempotent. */
  close(): void
}

/** Something took too long. */
export class Late extends Error {
  override readonly name = 'Late'
}

/** How long a connection is kept that nobody uses, unless the provider says less; milliseconds. */
const KEPT_MS = 4_000

export function createConnections({ connectTimeoutMs, maxConnections }: ConnectionsOptions): Connections {
  const kept = { keepAlive: true, timeout: KEPT_MS, maxSockets: maxConnections }
  const plain = { request, agent: new Agent(kept) }
  const secure = { request: requestOverTls, agent: new TlsAgent(kept) }
  return {
    request({ origin, ...call }) {
      const url = new URL(origin)
      const { request, agent } = url.protocol === 'https:' ? secure : plain
      const outgoing = request({ ...urlToHttpOptions(url), ...call, agent })
      outgoing.once('socket', (socket) => {
        if (!socket.connecting) return
        const late = setTimeout(
          () => outgoing.destroy(new Late(`no connection within ${connectTimeoutMs} ms`)),
          connectTimeoutMs,
        )
        outgoing.once('close', () => clearTimeout(late))
        onceConnected(socket, () => clearTimeout(late))
      })
      return outgoing
    },
    close() {
      plain.agent.destroy()
      secure.agent.destroy()
    },
  }
}

/** Calls when what is written to the socket leaves; at once when it already would. */
export function onceConnected(socket: Socket, connected: () => void): void {
  if (socket.connecting) socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', connected)
  else connected()
}
