import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface ApiRequest {
  method: string
  path: string
  query: Record<string, string>
  authorization: string | undefined
  body: unknown
}

export type ApiReply = { status: number; body?: unknown; headers?: Record<string, string> }

/** A git host's API, as far as it is asked; every request is kept. */
export async function fakeApi(
  t: TestContext,
  reply: (request: ApiRequest, earlier: readonly ApiRequest[]) => ApiReply,
): Promise<{ url: string; requests: readonly ApiRequest[] }> {
  const requests: ApiRequest[] = []
  const server = createServer((incoming, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString('utf8')
      const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://api')
      const request: ApiRequest = {
        method: incoming.method ?? '',
        path: pathname,
        query: Object.fromEntries(searchParams),
        authorization: incoming.headers.authorization,
        body: text === '' ? undefined : JSON.parse(text),
      }
      const { status, body, headers } = reply(request, [...requests])
      requests.push(request)
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(body === undefined ? '' : JSON.stringify(body))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}
