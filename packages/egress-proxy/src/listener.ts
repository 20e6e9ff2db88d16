import { once } from 'node:events'
import { createServer } from 'node:http'
import { rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { forward } from './forward.ts'
import { tunnel } from './tunnel.ts'
import type { Way } from './way.ts'

/** The way in of one session. */
export interface Listener {
  /** Breaks off what is under way. */
  close(): Promise<void>
}

/** Connections that ask for nothing, or are being refused, besides those that have a way out. */
const SPARE_CONNECTIONS = 64

/** `end` aborts `way.over`. */
export async function listen(path: string, way: Way, end: () => void): Promise<Listener> {
  const server = createServer(
    // A body may take as long as its connection is not idle.
    { keepAlive: true, headersTimeout: 30_000, requestTimeout: 0, maxHeaderSize: way.limits.maxHeaderBytes },
    (request, response) => void forward(request, response, way),
  )
  server.keepAliveTimeout = 30_000
  server.maxConnections = way.limits.maxConnections + SPARE_CONNECTIONS
  server.on('connect', (request, client, head) => {
    if (client instanceof Socket) void tunnel(request, client, head, way)
    else client.destroy()
  })
  await rm(path, { force: true })
  server.listen({ path })
  await once(server, 'listening')
  return {
    async close() {
      const closed = once(server, 'close')
      server.close()
      end()
      server.closeAllConnections()
      await closed
    },
  }
}
