import { request } from 'undici'
import type { Bench } from '../bench.ts'
import { createSession, streamUrl } from '../lib/api.ts'
import { startContainerGateway } from '../lib/container-gateway.ts'
import { docker, leftInTheEnd, notMeasured, ownersLabel } from '../lib/docker.ts'

const containers = 4
const atOnce = 4
const usual = 200

export const manySessions: Bench = {
  name: 'many-sessions',
  describe: `--sessions (${usual}) sessions open at once with room for ${containers} containers; takes minutes`,
  byNameOnly: true,
  async run(context) {
    const missing = await notMeasured()
    if (missing) return [missing]
    const total = context.sessions ?? usual
    const gateway = await startContainerGateway(context, 'gateway', {
      MAX_CONCURRENT_SESSIONS: String(atOnce),
      DOCKER_MAX_CONTAINERS: String(containers),
      // Who needs a place takes it from another one; none is given back for want of work.
      DOCKER_IDLE_TIMEOUT: '1h',
      RATE_LIMIT_MAX: '1000000',
    })
    const { url, workspaceRoot } = gateway
    const label = await ownersLabel(workspaceRoot)
    const networks = await lines('network', 'ls', '--quiet')
    const startedAt = performance.now()
    const ids: string[] = []
    const failed: string[] = []
    let most = 0
    const inOne = async (): Promise<void> => {
      for (; begun < total;) {
        begun += 1
        context.signal.throwIfAborted()
        const id = await createSession(url, 'say: hi')
        ids.push(id)
        const why = await whyFailed(url, id, context.signal)
        if (why !== undefined) failed.push(why)
        most = Math.max(most, await lines('ps', '--all', '--quiet', '--filter', `label=${label}`))
        if (ids.length % 10 === 0) context.say(`${ids.length} sessions, ${failed.length} failed, ${most} containers`)
      }
    }
    let begun = 0
    await Promise.all(Array.from({ length: atOnce }, inOne))
    const tookMs = performance.now() - startedAt
    // The first ones lost their containers long ago.
    for (const id of ids.slice(0, 3)) {
      await post(`${url}/sessions/${id}/messages`, { prompt: 'say: again' })
      const why = await whyFailed(url, id, context.signal)
      if (why !== undefined) failed.push(why)
    }
    const networksThen = await lines('network', 'ls', '--quiet')
    for (const reason of new Set(failed)) context.say(reason)
    for (const id of ids) await (await request(`${url}/sessions/${id}`, { method: 'DELETE' })).body.text()
    const left = await leftInTheEnd(workspaceRoot, context.signal)
    await gateway.stop()
    return [
      {
        what: `${ids.length} sessions open at once: failed; containers and directories left; networks made`,
        target: '0; 0; 0',
        measured: `${failed.length}; ${left}; ${networksThen - networks}`,
        ok: failed.length + left + networksThen - networks === 0,
        values: { failed: failed.length, left, networksMade: networksThen - networks },
      },
      {
        what: `${ids.length} sessions open at once: most containers`,
        target: `≤ ${containers}`,
        measured: `${most} (${(tookMs / 1000 / ids.length).toFixed(1)} s a session, ${atOnce} at once)`,
        ok: most <= containers,
        values: { mostContainers: most, tookMs },
      },
    ]
  },
}

const lines = async (...args: readonly string[]): Promise<number> =>
  (await docker(...args)).split('\n').filter((line) => line !== '').length

/** Undefined when the session's runs have all completed. */
async function whyFailed(url: string, id: string, signal: AbortSignal): Promise<string | undefined> {
  const text = await (await request(streamUrl(url, id), { bodyTimeout: 0, signal })).body.text()
  const ends = [...text.matchAll(/event: complete\ndata: (.*)/g)].map(([, data = '{}']) => JSON.parse(data))
  const failed = ends.find(({ outcome }) => outcome !== 'completed')
  if (failed) return JSON.stringify(failed.error ?? failed)
  return ends.length === 0 ? `the stream ended without an end of the run: ${text.slice(-200)}` : undefined
}

async function post(url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await request(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await answer.body.text()
  if (answer.statusCode >= 300) throw new Error(`POST ${url} answered ${answer.statusCode}: ${text}`)
}
