import type { FastifyReply } from 'fastify'

/** Ends when the answer has left or the client has, or the time is over. */
export function whileConnected({ raw }: FastifyReply, deadlineMs?: number): AbortSignal {
  const over = new AbortController()
  raw.once('close', () => over.abort(new Error('the client has left')))
  return deadlineMs === undefined ? over.signal : AbortSignal.any([over.signal, AbortSignal.timeout(deadlineMs)])
}
