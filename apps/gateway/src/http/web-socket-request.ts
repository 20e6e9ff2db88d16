import type { IncomingMessage } from 'node:http'

/** The routes that become a WebSocket when a request asks for it. */
const PATHS = [/^\/sessions\/[^/?]+\/files\/watch(?:\?|$)/]

/**
 * Whether a request is to be taken off HTTP. Every other upgrade is not ours to take, and is ignored as RFC 9110 allows:
 * a request like that of `curl --http2` has a body, which is no longer read once it is taken.
 */
export function isWebSocketRequest({ method, url = '', headers }: IncomingMessage): boolean {
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return false
  return PATHS.some((path) => path.test(url))
}
