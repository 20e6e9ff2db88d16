import { GatewayError } from '@opencode-gateway/contracts'
import type { FastifyReply } from 'fastify'
import { clientGone } from './client-gone.ts'

/** Works for a client that waits for the answer; the signal says that it has left, or that the gateway stops. */
export async function whileClientStays<T>(
  reply: FastifyReply,
  stopping: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using gone = clientGone(reply.raw)
  try {
    return await work(AbortSignal.any([gone.signal, stopping]))
  } catch (err) {
    // Nobody reads the answer, and nothing of ours has failed.
    if (gone.signal.aborted) throw new GatewayError('INVALID_REQUEST', 'The client left too early.', { cause: err })
    throw err
  }
}
