import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createWatch } from '@opencode-gateway/scripted-model/parts'
import { createFaultyConnection, type FaultyConnection } from './connection.ts'
import { createFaultRules, type FaultMode } from './fault-mode.ts'

export interface FaultProxyOptions {
  /** "http://host:port" */
  readonly target: string
}

export interface FaultCounts {
  /** Connections that came, refused ones included. */
  readonly accepted: number
  readonly refused: number
  /** Connections of which a side is still open. */
  readonly open: number
  /** Requests that began. */
  readonly requests: number
  /** Bytes passed to the target. */
  readonly sentBytes: number
  /** Bytes passed to clients. */
  readonly receivedBytes: number
}

/** Which connections are meant: those whose latest request, such as `GET /path`, matches. */
export interface FaultScope {
  readonly request?: RegExp
}

/**
 * Stands before an HTTP/1.1 server and spoils what it is told to, at the level of TCP. A request is seen when its
 * first line comes in one piece, as from any client that writes it at once.
 */
export interface FaultProxy {
  /** Listens on a free port of 127.0.0.1; resolves with its "http://127.0.0.1:port". */
  listen(): Promise<string>
  /** The mode from now on, of connections that stand as well. Of several that fit a request the last one counts. */
  set(mode: FaultMode, scope?: FaultScope): void
  /** Destroys connections at once; returns how many. */
  cut(scope?: FaultScope): number
  counts(): FaultCounts
  /** The latest thousand requests, oldest first: "GET /path". */
  readonly requests: readonly string[]
  /** Resolves once the counts are so; rejects with the signal's reason, or once closed. */
  until(check: (counts: FaultCounts) => boolean, signal: AbortSignal): Promise<void>
  /** Destroys all connections and stops listening; idempotent. Settles when nothing is left. */
  close(): Promise<void>
}

const MAX_REQUESTS = 1000

export function createFaultProxy(options: FaultProxyOptions): FaultProxy {
  const { hostname: host, port } = new URL(options.target)
  const target = { host, port: Number(port || 80) }
  const rules = createFaultRules()
  const watch = createWatch()
  const closing = new AbortController()
  const connections = new Set<FaultyConnection>()
  const requests: string[] = []
  const count = { accepted: 0, refused: 0, requests: 0, sentBytes: 0, receivedBytes: 0 }
  const counts = (): FaultCounts => ({ ...count, open: connections.size })

  function refuse(): void {
    count.refused += 1
    watch.changed()
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    count.accepted += 1
    if (rules.find(undefined).kind === 'refuse') {
      client.destroy()
      refuse()
      return
    }
    const connection = createFaultyConnection({
      client,
      target,
      modeOf: rules.find,
      onRequest(request) {
        count.requests += 1
        requests.push(request)
        if (requests.length > MAX_REQUESTS) requests.shift()
        watch.changed()
      },
      onRefused: refuse,
      onBytes(direction, bytes) {
        count[direction === 'request' ? 'sentBytes' : 'receivedBytes'] += bytes
        watch.changed()
      },
      onClosed() {
        connections.delete(connection)
        watch.changed()
      },
    })
    connections.add(connection)
    watch.changed()
  })

  function cut({ request }: FaultScope = {}): number {
    const meant = [...connections].filter(
      (connection) => request === undefined || (connection.request()?.search(request) ?? -1) >= 0,
    )
    for (const connection of meant) connection.destroy()
    return meant.length
  }

  return {
    requests,
    counts,
    cut,
    async listen() {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    set(mode, scope = {}) {
      rules.set(mode, scope.request)
    },
    async until(check, signal) {
      await watch.until(() => check(counts()) || undefined, AbortSignal.any([signal, closing.signal]))
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      cut()
      // Resolves at once where it never listened or is closed already.
      await closed
      await watch.until(() => connections.size === 0 || undefined, closing.signal)
      closing.abort(new Error('the proxy is closed'))
    },
  }
}
