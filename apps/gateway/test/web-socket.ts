import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { Lifetime } from './scope.ts'

export interface SocketMessage {
  event: string
  data: Record<string, unknown>
}

/** Somebody at the other end of a WebSocket. */
export interface SocketReader {
  /** The next message; undefined at the end. */
  next(): Promise<SocketMessage | undefined>
  until(fits: (message: SocketMessage) => boolean): Promise<SocketMessage[]>
  send(text: string): void
  close(): void
  /** Settles with how it was closed. */
  readonly closed: Promise<{ code: number; reason: string }>
}

/** Connects with the WebSocket of Node. Rejects when the upgrade is refused. */
export async function openSocket(
  t: Lifetime,
  url: string,
  headers: Record<string, string> = {},
): Promise<SocketReader> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers })
  const messages: SocketMessage[] = []
  let bell = Promise.withResolvers<void>()
  let over = false
  const opened = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<{ code: number; reason: string }>()
  socket.addEventListener('open', () => opened.resolve())
  socket.addEventListener('error', () => opened.reject(new Error('the upgrade was refused')))
  socket.addEventListener('message', ({ data }) => {
    messages.push(JSON.parse(String(data)) as SocketMessage)
    bell.resolve()
  })
  socket.addEventListener('close', ({ code, reason }) => {
    over = true
    closed.resolve({ code, reason })
    bell.resolve()
  })
  t.after(async () => socket.close())
  await opened.promise

  async function next(): Promise<SocketMessage | undefined> {
    while (messages.length === 0 && !over) {
      await bell.promise
      bell = Promise.withResolvers()
    }
    return messages.shift()
  }

  return {
    next,
    closed: closed.promise,
    send: (text) => socket.send(text),
    close: () => socket.close(),
    async until(fits) {
      const seen: SocketMessage[] = []
      for (;;) {
        const message = await next()
        if (message === undefined) throw new Error(`the socket closed after ${JSON.stringify(seen)}`)
        seen.push(message)
        if (fits(message)) return seen
      }
    },
  }
}

/** The headers of a handshake as RFC 6455 asks for them. */
export const handshake = (): Record<string, string> => ({
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': randomBytes(16).toString('base64'),
})

/** Sends the head of a request on a bare socket, which does nothing by itself: it answers no ping and no close. */
export function sendHead(t: Lifetime, url: string, headers: Record<string, string>, method = 'GET', body = ''): Socket {
  const { hostname, host, port, pathname, search } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => {})
  t.after(async () => void socket.destroy())
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
  return socket
}

/** All that comes until the other side ends. */
export async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The last frame of what a server sent, which is a close. */
export function closeOf(bytes: Buffer): { code: number; reason: string } {
  const from = bytes.indexOf('\r\n\r\n') + 4
  for (let at = from; at < bytes.length;) {
    const opcode = (bytes[at] ?? 0) & 0x0f
    const short = bytes[at + 1] ?? 0
    const [length, head] =
      short === 127
        ? [Number(bytes.readBigUInt64BE(at + 2)), 10]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), 4]
          : [short, 2]
    const payload = bytes.subarray(at + head, at + head + length)
    if (opcode === 8) return { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() }
    at += head + length
  }
  throw new Error('the socket was cut off without a close')
}
