import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  url: string
  /** Whole request heads and bodies, taken in turn. */
  requests: readonly string[]
  connections: number
  /** Requests in all. */
  count: number
  /** Status every answer must have. */
  status: number
}

export interface Load {
  perSecond: number
  tookMs: number[]
}

/**
 * Keeps one request in flight on each connection. Written on sockets, so that the client costs much less than the
 * server it measures, which on two cores is else the slower of the two.
 */
export async function load({ url, requests, connections, count, status }: LoadOptions): Promise<Load> {
  const { hostname, port } = new URL(url)
  const sockets = Array.from({ length: connections }, () =>
    connect({ host: hostname, port: Number(port), noDelay: true }),
  )
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const tookMs: number[] = []
  let sent = 0
  const next = (): string | undefined => {
    if (sent >= count) return undefined
    const text = requests[sent % requests.length]
    sent += 1
    return text
  }
  const startedAt = performance.now()
  try {
    await Promise.all(sockets.map((socket) => drive(socket, next, status, tookMs)))
    return { perSecond: (count * 1000) / (performance.now() - startedAt), tookMs }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

function drive(socket: Socket, next: () => string | undefined, status: number, tookMs: number[]): Promise<void> {
  const expected = `HTTP/1.1 ${status} `
  return new Promise((resolve, reject) => {
    let received = ''
    let sentAt = 0
    const send = (): void => {
      const text = next()
      if (text === undefined) return resolve()
      sentAt = performance.now()
      socket.write(text)
    }
    socket.setEncoding('latin1')
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the server closed a connection')))
    socket.on('data', (chunk: string) => {
      received += chunk
      if (!isWhole(received)) return
      if (!received.startsWith(expected)) return reject(new Error(`unexpected answer: ${received.slice(0, 400)}`))
      tookMs.push(performance.now() - sentAt)
      received = ''
      send()
    })
    send()
  })
}

/** Answers of the gateway that are not streams have a length. */
function isWhole(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1]
  return received.length >= headEnd + 4 + Number(length ?? 0)
}

export function rawRequest(url: string, method: string, path: string, body?: object): string {
  const text = body === undefined ? '' : JSON.stringify(body)
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${new URL(url).host}`]
  if (body !== undefined) head.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`)
  return `${head.join('\r\n')}\r\n\r\n${text}`
}
