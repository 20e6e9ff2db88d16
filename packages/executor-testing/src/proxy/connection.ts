import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { FaultMode } from './fault-mode.ts'
import { startLane, type Piece } from './lane.ts'

export interface FaultyConnectionOptions {
  /** Accepted with `allowHalfOpen`. */
  readonly client: Socket
  readonly target: { readonly host: string; readonly port: number }
  /** The mode for this connection, whose latest request is given. */
  modeOf(request: string | undefined): FaultMode
  /** "GET /path"; told before anything is done about it. */
  onRequest(request: string): void
  onRefused(): void
  onBytes(direction: 'request' | 'response', count: number): void
  /** Both sides are closed. */
  onClosed(): void
}

export interface FaultyConnection {
  /** "GET /path" */
  request(): string | undefined
  destroy(): void
}

const NO_HTTP = Buffer.from([0x00, 0xff, 0xfe, 0x0d, 0x0a, 0x00])

/** A client's connection and the one to the target, with the faults between them. */
export function createFaultyConnection(options: FaultyConnectionOptions): FaultyConnection {
  const { client, modeOf } = options
  const target = connect({ ...options.target, allowHalfOpen: true, noDelay: true })
  const gone = new AbortController()
  let request: string | undefined
  let silent = false
  let open = 2
  /** How much of the response has passed in the mode that stops it. */
  let stopping: { mode: FaultMode; passed: number } | undefined

  function destroy(): void {
    gone.abort(new Error('the connection is destroyed'))
    client.destroy()
    target.destroy()
  }

  async function write(to: Socket, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0 || !to.writable) return
    options.onBytes(to === target ? 'request' : 'response', bytes.length)
    if (!to.write(bytes)) await once(to, 'drain', { signal: gone.signal })
  }

  async function writeSlowly(to: Socket, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += 1) {
      await write(to, bytes.subarray(at, at + 1))
      await nextTurn(undefined, { signal: gone.signal })
    }
  }

  /** What is the same in both directions. */
  async function pass(to: Socket, { bytes, at }: Piece, mode: FaultMode): Promise<void> {
    if (mode.kind === 'half-open') silent = true
    else if (mode.kind === 'slice') await writeSlowly(to, bytes)
    else {
      const waitMs = mode.kind === 'delay' ? at + mode.delayMs - performance.now() : 0
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: gone.signal })
      await write(to, bytes)
    }
  }

  async function carryRequest(piece: Piece): Promise<void> {
    if (silent) return
    const begun = /^([A-Z]+ \S+) HTTP\/1\.[01]\r\n/.exec(piece.bytes.toString('latin1'))?.[1]
    if (begun !== undefined) {
      request = begun
      options.onRequest(begun)
    }
    const mode = modeOf(request)
    if (begun !== undefined && mode.kind === 'refuse') {
      options.onRefused()
      destroy()
    } else if (mode.kind === 'answer') {
      silent = true
      target.destroy()
      await write(client, Buffer.from(mode.bytes))
      client.end()
    } else await pass(target, piece, mode)
  }

  async function carryResponse(piece: Piece): Promise<void> {
    if (silent) return
    const mode = modeOf(request)
    if (mode.kind === 'garbage') await write(client, Buffer.from(mode.bytes ?? NO_HTTP))
    if (mode.kind !== 'stop') {
      await pass(client, piece, mode)
      return
    }
    if (stopping?.mode !== mode) stopping = { mode, passed: 0 }
    const bytes = piece.bytes.subarray(0, mode.afterBytes - stopping.passed)
    stopping.passed += bytes.length
    await write(client, bytes)
    if (stopping.passed < mode.afterBytes) return
    silent = true
    if (mode.by === 'cut') destroy()
  }

  /** A connection that breaks is what this is made for; whoever uses it is told by the break itself. */
  function onBroken(): void {
    if (!silent) destroy()
  }

  function onClose(): void {
    open -= 1
    if (open > 0) return
    gone.abort(new Error('the connection is closed'))
    options.onClosed()
  }

  const end = (to: Socket): void => {
    if (!silent && modeOf(request).kind === 'half-open') silent = true
    if (!silent) to.end()
  }

  client.setNoDelay(true)
  for (const socket of [client, target]) socket.on('error', onBroken).once('close', onClose)
  startLane({ source: client, carry: carryRequest, end: () => end(target), fail: onBroken })
  startLane({ source: target, carry: carryResponse, end: () => end(client), fail: onBroken })
  return { request: () => request, destroy }
}
