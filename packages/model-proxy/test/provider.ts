import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

export interface ReceivedCall {
  url: string
  headers: IncomingHttpHeaders
  body: string
}

/** A provider at the end of a real connection, which answers as the test says. */
export interface Provider {
  address: string
  calls: ReceivedCall[]
  /** Answers that began and did not get to their end. */
  left(): number
  /** From now on nobody is there. */
  close(): void
}

export async function startProvider(
  t: TestContext,
  answer: (response: ServerResponse, call: ReceivedCall) => unknown,
): Promise<Provider> {
  const calls: ReceivedCall[] = []
  let left = 0
  const onRequest: RequestListener = (request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) left += 1
    })
    void text(request).then((body) => {
      const call = { url: request.url ?? '', headers: request.headers, body }
      calls.push(call)
      return answer(response, call)
    })
  }
  const server = createServer(onRequest).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  t.after(close)
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, left: () => left, close }
}
