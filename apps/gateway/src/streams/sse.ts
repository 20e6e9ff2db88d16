import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

/** Somebody reading events. */
export interface EventStream {
  /** Aborted once nothing more can or shall be written: the reader left or was dropped, or the gateway stops. */
  readonly signal: AbortSignal
  /**
   * Settles when there is room for more, or when the stream is over; never rejects. `happenedAt`: when the oldest event
   * in it was written down, unless the reader came later; milliseconds since the epoch.
   */
  write(frames: string, happenedAt?: number): Promise<void>
}

export interface OpenStream extends EventStream {
  /** Writes last frames and ends the stream from our side; idempotent. */
  leave(frames?: string): void
  /** Settles when the connection is done with the response; drops a reader that does not take the rest in time. */
  closed(): Promise<void>
}

export interface EventStreamOptions {
  /** The response, its head already sent. */
  response: ServerResponse
  heartbeat: string
  heartbeatMs: number
  /** A reader that takes nothing for this long is dropped. */
  stallMs: number
  /** Told when that happens. */
  onDropped: () => void
  /** Events were sent so long after they were written down, milliseconds. */
  onSent: (lagMs: number) => void
}

/**
 * Writes to the response itself, several frames at once: `reply.sse.send` takes one event at a time, and its promise
 * never settles once a reader who does not read has left (https://github.com/fastify/sse/issues/54).
 */
export function openEventStream(options: EventStreamOptions): OpenStream {
  const { response, heartbeat, heartbeatMs, stallMs } = options
  const over = new AbortController()
  const gone = response.closed ? Promise.resolve() : once(response, 'close').then(() => {})
  const beat = setInterval(() => {
    // Somebody who does not read is told nothing more.
    if (!response.writableNeedDrain) response.write(heartbeat)
  }, heartbeatMs)

  function drop(): void {
    response.destroy()
    options.onDropped()
  }

  function finish(): void {
    clearInterval(beat)
    over.abort()
  }
  void gone.then(finish)

  return {
    signal: over.signal,
    async write(frames, happenedAt) {
      if (over.signal.aborted) return
      const hasRoom = response.write(frames)
      if (happenedAt !== undefined) options.onSent(Math.max(0, Date.now() - happenedAt))
      if (hasRoom) return
      const stalled = setTimeout(drop, stallMs)
      await drained(response, over.signal).finally(() => clearTimeout(stalled))
    },
    leave(frames) {
      if (over.signal.aborted) return
      if (frames !== undefined) response.write(frames)
      finish()
    },
    async closed() {
      finish()
      const stalled = setTimeout(drop, stallMs)
      await gone
      clearTimeout(stalled)
    },
  }
}

/** Settles when the reader took what was written, or the stream is over. */
async function drained(response: ServerResponse, over: AbortSignal): Promise<void> {
  try {
    await once(response, 'drain', { signal: over })
  } catch (err) {
    if (!over.aborted) throw err
  }
}
