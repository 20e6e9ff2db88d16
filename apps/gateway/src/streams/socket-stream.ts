import { once } from 'node:events'
import type { WebSocket } from 'ws'

/** Why a socket is closed from our side: a code of RFC 6455 and at most 123 bytes for people. */
export interface Farewell {
  code: 1000 | 1001 | 1003 | 1008 | 1011
  reason: string
}

/** Somebody who is told something over a WebSocket. */
export interface SocketStream {
  /** Aborted once nothing more can or shall be sent: the reader left or was dropped, or the gateway stops. */
  readonly signal: AbortSignal
  /** One message each. Settles when there is room for more, or when the stream is over; never rejects. */
  write(messages: readonly string[]): Promise<void>
}

export interface OpenSocketStream extends SocketStream {
  /** Ends the stream from our side; the first one counts. Whoever does not answer in time is cut off. */
  leave(why: Farewell): void
  /** Cuts the connection. */
  cut(): void
  /** Settles when the connection has gone. */
  readonly closed: Promise<void>
}

export interface SocketStreamOptions {
  socket: WebSocket
  /** Pause between pings. */
  heartbeatMs: number
  /** A reader that takes nothing, or does not answer a ping, for this long is dropped. */
  stallMs: number
  /** Told when that happens. */
  onDropped: () => void
}

/** What waits for the reader beyond this, bytes, is waited for. */
const HIGH_WATER = 65_536

export function openSocketStream({ socket, heartbeatMs, stallMs, onDropped }: SocketStreamOptions): OpenSocketStream {
  const over = new AbortController()
  const closed = Promise.withResolvers<void>()
  let unanswered: NodeJS.Timeout | undefined
  let lingering: NodeJS.Timeout | undefined

  const cut = (): void => socket.terminate()

  function finish(): void {
    clearInterval(beat)
    clearTimeout(unanswered)
    over.abort()
  }

  function leave({ code, reason }: Farewell): void {
    if (over.signal.aborted) return
    finish()
    socket.close(code, reason)
    lingering = setTimeout(cut, stallMs)
  }

  function drop(reason: string): void {
    if (over.signal.aborted) return
    onDropped()
    leave({ code: 1008, reason })
  }

  const beat = setInterval(() => {
    unanswered ??= setTimeout(() => drop(`A ping was not answered within ${stallMs} ms.`), stallMs)
    socket.ping()
  }, heartbeatMs)
  socket.on('pong', () => {
    clearTimeout(unanswered)
    unanswered = undefined
  })
  socket.once('close', () => {
    finish()
    clearTimeout(lingering)
    closed.resolve()
  })
  socket.on('message', () => leave({ code: 1003, reason: 'No messages are taken here.' }))

  /** Settles when what was sent so far is on its way. */
  async function drained(sent: Promise<void>): Promise<void> {
    const stalled = setTimeout(() => drop(`Nothing was read for ${stallMs} ms.`), stallMs)
    const gone = once(over.signal, 'abort', { signal: over.signal }).catch(() => {})
    await Promise.race([sent, gone]).finally(() => clearTimeout(stalled))
  }

  return {
    signal: over.signal,
    closed: closed.promise,
    leave,
    cut,
    async write(messages) {
      for (const message of messages) {
        if (over.signal.aborted) return
        const { promise: sent, resolve } = Promise.withResolvers<void>()
        // A socket that broke says so by closing.
        socket.send(message, () => resolve())
        if (socket.bufferedAmount > HIGH_WATER) await drained(sent)
      }
    },
  }
}
