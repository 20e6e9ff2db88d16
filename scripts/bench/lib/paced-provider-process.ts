import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveBench } from './serve.ts'

/** What a call wants of the provider. */
export interface PacedCall {
  chunks: number
  intervalMs: number
}

/** Answers with a stream of chunks at a pace, each with the time it was written. */
async function answer(response: ServerResponse, { chunks, intervalMs }: PacedCall): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let chunk = 0; chunk < chunks && !response.destroyed; chunk += 1) {
    if (chunk > 0) await sleep(intervalMs)
    const at = performance.timeOrigin + performance.now()
    response.write(`data: ${JSON.stringify({ at, choices: [{ index: 0, delta: { content: 'some words ' } }] })}\n\n`)
  }
  response.end('data: {"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\ndata: [DONE]\n\n')
}

await serveBench(async () => {
  const server = createServer((request, response) => {
    void json(request).then((body) => answer(response, body as PacedCall))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
    },
  }
})
