import type { FastifyReply } from 'fastify'
import type { DaemonAnswer } from './daemon.ts'

/** The daemon's answer as it comes, at once: a wait is known to be taken by its headers. */
export async function passOn(reply: FastifyReply, { status, type, body }: DaemonAnswer): Promise<FastifyReply> {
  reply.code(status)
  if (status === 204 || status === 304) {
    body.resume()
    return await reply.send()
  }
  reply.type(type)
  return await reply.send(body)
}
