import type { FastifyInstance } from 'fastify'
import type { GateConfig } from '../config.ts'
import type { Daemon } from '../daemon.ts'
import { findImage } from '../find-image.ts'
import { passOn } from '../pass-on.ts'
import { readQuery } from '../query.ts'
import { Refusal } from '../refusal.ts'
import { whileConnected } from '../while-connected.ts'

const DEADLINE_MS = 60_000
const PULL_DEADLINE_MS = 15 * 60_000
const REFERENCE = /^[\w./:@-]{1,512}$/

/** The configured image can be looked at and pulled; there is no other. */
export function imageRoutes(app: FastifyInstance, { config, daemon }: { config: GateConfig; daemon: Daemon }): void {
  app.get('/images/*', async (request, reply) => {
    readQuery(request.query, {})
    const asked = /^(.+)\/json$/.exec((request.params as { '*': string })['*'])?.[1]
    const { id, description } = await findImage(daemon, config.image, whileConnected(reply, DEADLINE_MS))
    if (asked !== config.image && asked !== id) throw new Refusal(`No such image: ${asked}`, 404)
    return await reply.type('application/json').send(description)
  })

  app.post('/images/create', async (request, reply) => {
    const { fromImage = '', tag = '' } = readQuery(request.query, { fromImage: REFERENCE, tag: REFERENCE })
    const asked = [fromImage, `${fromImage}:${tag}`, `${fromImage}@${tag}`]
    if (!asked.includes(config.image)) throw new Refusal(`image "${fromImage}" is not the configured one`)
    const signal = whileConnected(reply, PULL_DEADLINE_MS)
    return await passOn(
      reply,
      await daemon.call({ method: 'POST', path: '/images/create', query: namesOf(config.image), signal }),
    )
  })
}

/** Without a tag the daemon would pull them all. */
function namesOf(reference: string): Record<string, string> {
  const [, digested, digest] = /^(.+)@(sha256:.+)$/.exec(reference) ?? []
  if (digested !== undefined && digest !== undefined) return { fromImage: digested, tag: digest }
  const [, named, tag] = /^(.+):([\w.-]+)$/.exec(reference) ?? []
  return named !== undefined && tag !== undefined ? { fromImage: named, tag } : { fromImage: reference, tag: 'latest' }
}
