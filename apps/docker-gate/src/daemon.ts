import type { Readable } from 'node:stream'
import { Pool } from 'undici'
import type { Address } from './config.ts'

export interface DaemonAnswer {
  status: number
  type: string
  body: Readable
}

export interface DaemonCall {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  query?: Readonly<Record<string, string>>
  body?: object
  signal: AbortSignal
}

/** The daemon behind the gate. Nothing of a client's request reaches it but what is named in a call. */
export interface Daemon {
  call(call: DaemonCall): Promise<DaemonAnswer>
  close(): Promise<void>
}

/** `connections`: at the same time; what comes beyond them waits. */
export function createDaemon(address: Address, connections = 16): Daemon {
  const unix = 'socketPath' in address
  const origin = unix ? 'http://docker' : `http://${address.host}:${address.port}`
  // Waits and logs may be silent for as long as a container lives; calls end by their signals.
  const pool = new Pool(origin, {
    headersTimeout: 0,
    bodyTimeout: 0,
    connections,
    ...(unix ? { connect: { socketPath: address.socketPath } } : {}),
  })
  return {
    async call({ method, path, query = {}, body, signal }) {
      const search = new URLSearchParams(query).toString()
      const answer = await pool.request({
        method,
        path: search === '' ? path : `${path}?${search}`,
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      const type = answer.headers['content-type'] ?? 'application/json'
      return { status: answer.statusCode, type: String(type), body: answer.body }
    },
    close: () => pool.destroy(),
  }
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** The whole answer as text. */
export async function readAll({ body }: DaemonAnswer): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer of the daemon has more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
