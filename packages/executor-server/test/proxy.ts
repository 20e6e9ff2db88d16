import { createServer, request as send } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Stands between the executor and an engine and spoils what it is told to. */
export interface Proxy {
  readonly url: string
  /** Answers everything with a web page from now on. */
  answerWithHtml(): void
  /** Breaks the event streams that are open. */
  cutStreams(): void
  /** No new event stream is let through until the returned function is called. */
  holdStreams(): () => void
  /** How many event streams were opened so far. */
  streams(): number
  close(): Promise<void>
}

export async function startProxy(target: string): Promise<Proxy> {
  const open = new Set<ServerResponse>()
  let html = false
  let held = false
  let streams = 0
  const server = createServer((incoming, response) => {
    if (html) return void response.setHeader('content-type', 'text/html').end('<html>all is well</html>')
    const isStream = incoming.url?.startsWith('/global/event') ?? false
    if (isStream && held) return void response.destroy()
    const { method, headers } = incoming
    const outgoing = send(new URL(incoming.url ?? '/', target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on('error', () => response.destroy()).pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    response.on('close', () => {
      open.delete(response)
      outgoing.destroy()
    })
    if (isStream) {
      open.add(response)
      streams += 1
    }
    incoming.pipe(outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerWithHtml() {
      html = true
    },
    cutStreams() {
      for (const response of open) response.destroy()
    },
    holdStreams() {
      held = true
      return () => {
        held = false
      }
    },
    streams: () => streams,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
