import { pipeline } from 'node:stream/promises'
import type { FastifyInstance } from 'fastify'
import type { GateConfig } from '../config.ts'
import type { Daemon } from '../daemon.ts'
import { labelsIn } from '../filters.ts'
import { readQuery } from '../query.ts'
import { GATE_LABEL } from '../rebuild-container.ts'
import { whileConnected } from '../while-connected.ts'

/** What can be asked for; the ends of containers are told in any case. */
const TYPES = ['container']
const EVENTS = ['die', 'destroy']

/** The ends of containers that came through this gate, as long as the client stays. */
export function eventRoutes(app: FastifyInstance, { config, daemon }: { config: GateConfig; daemon: Daemon }): void {
  app.get('/events', async (request, reply) => {
    const { filters = '' } = readQuery(request.query, { filters: /^\{.*\}$/ })
    const label = [...labelsIn(filters, { type: TYPES, event: EVENTS }), `${GATE_LABEL}=${config.mark}`]
    const query = { filters: JSON.stringify({ type: TYPES, event: EVENTS, label }) }
    const answer = await daemon.call({ method: 'GET', path: '/events', query, signal: whileConnected(reply) })
    reply.hijack()
    // At once, and not with the first event: from now on none is missed.
    reply.raw.writeHead(answer.status, { 'content-type': answer.type }).flushHeaders()
    try {
      await pipeline(answer.body, reply.raw)
    } catch (err) {
      request.log.debug({ err }, 'the client or the daemon has left the stream of events')
    }
  })
}
