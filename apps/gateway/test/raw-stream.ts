import { connect } from 'node:net'
import { createParser } from 'eventsource-parser'
import { frameOf, type Frame } from './event-source.ts'

/** What a client has after so many bytes of a response, fed to it in pieces of any size. */
export interface RawClient {
  feed(bytes: Buffer): void
  /** Status of the response, once its head has come. */
  status(): number | undefined
  /** Whole events with an id so far. */
  readonly frames: readonly Frame[]
  /** The end of the response has come. */
  ended(): boolean
}

/** In place of the bytes left of a chunk. */
const BETWEEN = -1

/** Reads HTTP/1.1 with chunks, and events in them; what is cut off at the end does not count, as the standard says. */
export function createRawClient(): RawClient {
  const frames: Frame[] = []
  const parser = createParser({
    onEvent(message) {
      const frame = frameOf(message)
      if (frame.id !== undefined) frames.push(frame)
    },
  })
  const text = new TextDecoder()
  let status: number | undefined
  let unread: Buffer = Buffer.alloc(0)
  let left = 0
  let ended = false

  /** The next line, without its end; undefined when it has not come yet. */
  function line(): string | undefined {
    const end = unread.indexOf('\r\n')
    if (end < 0) return undefined
    const found = unread.toString('latin1', 0, end)
    unread = unread.subarray(end + 2)
    return found
  }

  function head(): boolean {
    const end = unread.indexOf('\r\n\r\n')
    if (end < 0) return false
    status = Number(line()?.split(' ')[1])
    unread = unread.subarray(unread.indexOf('\r\n\r\n') + 4)
    ended = status === 204
    return true
  }

  function chunk(): boolean {
    if (left === BETWEEN) {
      // A chunk ends with a line end of its own.
      if (unread.length < 2) return false
      unread = unread.subarray(2)
      left = 0
    }
    if (left === 0) {
      const size = line()
      if (size === undefined) return false
      left = Number.parseInt(size, 16)
      ended = left === 0
      return !ended
    }
    const piece = unread.subarray(0, left)
    unread = unread.subarray(piece.length)
    left -= piece.length
    parser.feed(text.decode(piece, { stream: true }))
    if (left === 0) left = BETWEEN
    return left === BETWEEN
  }

  return {
    frames,
    status: () => status,
    ended: () => ended,
    feed(bytes) {
      unread = Buffer.concat([unread, bytes])
      if (status === undefined && !head()) return
      while (!ended && chunk());
    },
  }
}

export interface RawRead {
  client: RawClient
  /** Everything that was taken. */
  bytes: Buffer
  end: 'hung up' | 'seen' | 'ended'
}

export interface RawReadOptions {
  lastEventId?: number
  /** Hang up after exactly so many bytes of the response. */
  maxBytes?: number
  /** Hang up when such an event has come. */
  until?: (frame: Frame) => boolean
  signal: AbortSignal
}

/** Reads an event stream from a bare socket, so that the place where it breaks off is known to the byte. */
export async function readRaw(url: string, options: RawReadOptions): Promise<RawRead> {
  const { lastEventId, maxBytes = Infinity, until = () => false, signal } = options
  const { hostname, port, pathname, search } = new URL(url)
  const resume = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`
  const client = createRawClient()
  const taken: Buffer[] = []
  let count = 0
  let end: RawRead['end'] = 'ended'
  const socket = connect({ host: hostname, port: Number(port), signal })
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\nAccept: text/event-stream\r\n${resume}\r\n`)
  try {
    for await (const data of socket) {
      const bytes = Buffer.from(data).subarray(0, maxBytes - count)
      const known = client.frames.length
      taken.push(bytes)
      count += bytes.length
      client.feed(bytes)
      if (client.frames.slice(known).some(until)) end = 'seen'
      else if (count >= maxBytes) end = 'hung up'
      if (end !== 'ended' || client.ended()) break
    }
  } finally {
    socket.destroy()
  }
  return { client, bytes: Buffer.concat(taken), end }
}
