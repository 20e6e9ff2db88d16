import type { Socket } from 'node:net'

export interface Piece {
  readonly bytes: Buffer
  /** When it arrived, on the clock of `performance.now()`. */
  readonly at: number
}

export interface LaneOptions {
  readonly source: Socket
  /** Carries a piece to the other side; the next one waits for it. */
  carry(piece: Piece): Promise<void>
  /** The source has ended, and all of it is carried. */
  end(): void
  fail(error: unknown): void
}

const MAX_WAITING_BYTES = 1024 * 1024

/** One direction of a connection: pieces in their order, with the time each of them arrived. */
export function startLane({ source, carry, end, fail }: LaneOptions): void {
  const waiting: Piece[] = []
  let waitingBytes = 0
  let ended = false
  let carrying = false

  async function work(): Promise<void> {
    if (carrying) return
    carrying = true
    for (let piece = waiting.shift(); piece; piece = waiting.shift()) {
      await carry(piece)
      waitingBytes -= piece.bytes.length
      if (waitingBytes < MAX_WAITING_BYTES) source.resume()
    }
    carrying = false
    if (ended) end()
  }

  source.on('data', (bytes: Buffer) => {
    waiting.push({ bytes, at: performance.now() })
    waitingBytes += bytes.length
    if (waitingBytes >= MAX_WAITING_BYTES) source.pause()
    work().catch(fail)
  })
  source.once('end', () => {
    ended = true
    work().catch(fail)
  })
}
