import type { FastifyInstance, FastifyRequest } from 'fastify'
import { checkMounts } from '../check-mounts.ts'
import type { GateConfig } from '../config.ts'
import { readAll, type Daemon } from '../daemon.ts'
import { labelsIn } from '../filters.ts'
import { findImage } from '../find-image.ts'
import { ownContainer } from '../own-container.ts'
import { passOn } from '../pass-on.ts'
import { FLAG, readQuery, type Allowed } from '../query.ts'
import { GATE_LABEL, rebuildContainer } from '../rebuild-container.ts'
import { Refusal } from '../refusal.ts'
import { whileConnected } from '../while-connected.ts'

const SIGNAL = /^(?:SIG)?(?:KILL|TERM|INT)$/
const NUMBER = /^\d{1,6}$/
const NAME = /^opencode-gateway-[A-Za-z0-9_.-]{1,128}$/
const DEADLINE_MS = 60_000

/** What may be done with one container, besides making it. `quick` calls have a deadline; the others last as long as it does. */
const ACTIONS: readonly { method: 'GET' | 'POST' | 'DELETE'; action: string; allowed: Allowed; quick: boolean }[] = [
  { method: 'POST', action: 'start', allowed: {}, quick: true },
  { method: 'POST', action: 'kill', allowed: { signal: SIGNAL }, quick: true },
  { method: 'POST', action: 'stop', allowed: { t: /^\d{1,2}$/ }, quick: false },
  { method: 'POST', action: 'wait', allowed: { condition: /^(?:not-running|next-exit|removed)$/ }, quick: false },
  {
    method: 'GET',
    action: 'logs',
    allowed: { stdout: FLAG, stderr: FLAG, timestamps: FLAG, follow: FLAG, tail: NUMBER, since: NUMBER },
    quick: false,
  },
  // The daemon hands these to ps on its own machine.
  { method: 'GET', action: 'top', allowed: { ps_args: /^-eo pid,ppid,comm$/ }, quick: true },
  { method: 'DELETE', action: '', allowed: { force: FLAG, v: FLAG }, quick: true },
]

export function containerRoutes(
  app: FastifyInstance,
  { config, daemon }: { config: GateConfig; daemon: Daemon },
): void {
  const { mark, workspaceRoot, bounds } = config
  let making = 0

  app.get('/containers/json', async (request, reply) => {
    const { filters = '{}', ...query } = readQuery(request.query, { all: FLAG, limit: NUMBER, filters: /^\{.*\}$/ })
    const own = JSON.stringify({ label: [...labelsIn(filters), `${GATE_LABEL}=${mark}`] })
    const signal = whileConnected(reply, DEADLINE_MS)
    return await passOn(
      reply,
      await daemon.call({ method: 'GET', path: '/containers/json', query: { ...query, filters: own }, signal }),
    )
  })

  app.post('/containers/create', async (request, reply) => {
    const signal = whileConnected(reply, DEADLINE_MS)
    const query = readQuery(request.query, { name: NAME })
    if (query.name === undefined) throw new Refusal('a container without a name')
    const image = await findImage(daemon, config.image, signal)
    const body = rebuildContainer(request.body, { config, imageId: image.id })
    await checkMounts(
      body.HostConfig.Mounts.map(({ Source }) => Source),
      workspaceRoot,
    )
    // Those that are being made are not listed yet.
    making += 1
    try {
      if ((await countOwn(signal)) + making > bounds.containers)
        throw new Refusal(`there are ${bounds.containers} containers, the most that are allowed`, 503)
      return await passOn(reply, await daemon.call({ method: 'POST', path: '/containers/create', query, body, signal }))
    } finally {
      making -= 1
    }
  })

  app.get('/containers/:name/json', async (request, reply) => {
    readQuery(request.query, { size: /^(?:0|false)?$/ })
    const { description } = await ownContainer(daemon, nameIn(request), mark, whileConnected(reply, DEADLINE_MS))
    return await reply.type('application/json').send(description)
  })

  for (const { method, action, allowed, quick } of ACTIONS) {
    const last = action === '' ? '' : `/${action}`
    app.route({
      method,
      url: `/containers/:name${last}`,
      async handler(request, reply) {
        // Clients send parameters there, too. An older daemon would take a configuration from it: it is not handed on.
        readQuery(request.body, allowed)
        const query = readQuery(request.query, allowed)
        const signal = whileConnected(reply, quick ? DEADLINE_MS : undefined)
        const { id, sources } = await ownContainer(daemon, nameIn(request), mark, signal)
        // What was a directory when the container was made may be a link by now.
        if (action === 'start') await checkMounts(sources, workspaceRoot)
        const answer = await daemon.call({ method, path: `/containers/${id}${last}`, query, signal })
        if (action === 'start') await endUnlessSound(id, sources)
        return await passOn(reply, answer)
      },
    })
  }

  /** What became a link between the look and the start is mounted by now. */
  async function endUnlessSound(id: string, sources: readonly string[]): Promise<void> {
    try {
      await checkMounts(sources, workspaceRoot)
    } catch (error) {
      const signal = AbortSignal.timeout(DEADLINE_MS)
      const removed = await daemon.call({
        method: 'DELETE',
        path: `/containers/${id}`,
        query: { force: 'true', v: 'true' },
        signal,
      })
      removed.body.resume()
      throw error
    }
  }

  async function countOwn(signal: AbortSignal): Promise<number> {
    const filters = JSON.stringify({ label: [`${GATE_LABEL}=${mark}`] })
    const query = { all: '1', filters }
    const found: unknown = JSON.parse(
      await readAll(await daemon.call({ method: 'GET', path: '/containers/json', query, signal })),
    )
    return Array.isArray(found) ? found.length : bounds.containers
  }
}

function nameIn({ params }: FastifyRequest): string {
  return (params as { name: string }).name
}
