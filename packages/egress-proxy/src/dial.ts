import { connect, type Socket } from 'node:net'
import { Refusal } from './refusal.ts'
import type { Target } from './target.ts'

/**
 * A connection to one of these addresses, which have been checked: nothing is looked up again. Each has its share of
 * the time. Throws `Refusal`, and the reason of the signal.
 */
export async function dial(
  addresses: readonly string[],
  { host, port }: Target,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const failures: unknown[] = []
  for (const address of addresses) {
    try {
      return await connectTo(
        address,
        port,
        AbortSignal.any([signal, AbortSignal.timeout(timeoutMs / addresses.length)]),
      )
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error)
    }
  }
  const text = `The host "${host}" cannot be reached at port ${port}.`
  if (failures.every(isLate)) throw new Refusal(504, 'timed_out', text, { cause: failures[0] })
  throw new Refusal(502, 'unreachable', text, { cause: failures[0] })
}

function connectTo(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true })
  const giveUp = (): void => {
    socket.destroy()
    reject(signal.reason)
  }
  signal.addEventListener('abort', giveUp, { once: true })
  socket.once('error', reject)
  socket.once('connect', () => {
    signal.removeEventListener('abort', giveUp)
    socket.off('error', reject)
    resolve(socket)
  })
  socket.once('close', () => signal.removeEventListener('abort', giveUp))
  if (signal.aborted) giveUp()
  return promise
}

function isLate(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.name === 'TimeoutError' || ('code' in error && error.code === 'ETIMEDOUT')
}
