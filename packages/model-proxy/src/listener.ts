import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { chmod, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'

/** One of the proxy's ways in. */
export interface Listener {
  /** Undefined for a socket in the file system. */
  readonly port: number | undefined
  /** Breaks off what is under way; idempotent. */
  close(): Promise<void>
}

export type Place = { host: string; port: number } | { path: string }

/** Connections of one session's engine and its sub-agents at the same time. */
const MAX_SOCKET_CONNECTIONS = 64

/**
 * Node's own server, without a framework: there is one route, bodies are read by hand, and every chunk of every answer
 * passes here.
 */
export async function listen(
  place: Place,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listener> {
  const server = createServer({ keepAlive: true, headersTimeout: 30_000, requestTimeout: 120_000 }, answer)
  // An engine's idle connection that is closed here may be the one of its next call.
  server.keepAliveTimeout = 3_600_000
  server.maxRequestsPerSocket = 0
  // One session's, and the agent itself can connect; a port is there for engines of ours with many sessions.
  if ('path' in place) server.maxConnections = MAX_SOCKET_CONNECTIONS
  if ('path' in place) await rm(place.path, { force: true })
  server.listen(place)
  await once(server, 'listening')
  // Whoever can reach the directory can reach the models: the directory says who that is.
  if ('path' in place) await chmod(place.path, 0o666)
  const port = 'path' in place ? undefined : (server.address() as AddressInfo).port
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return { port, close: () => (closing ??= close()) }
}
