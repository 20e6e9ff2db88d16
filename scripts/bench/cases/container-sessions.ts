import type { Timings } from '@opencode-gateway/contracts'
import { request } from 'undici'
import type { Bench, Figure } from '../bench.ts'
import { createSession } from '../lib/api.ts'
import { startContainerGateway } from '../lib/container-gateway.ts'
import { countDaemonCalls, docker, engineImage, leftInTheEnd, notMeasured } from '../lib/docker.ts'
import { megabytes, ms } from '../lib/format.ts'
import { rounds } from '../lib/rounds.ts'
import { median } from '../lib/stats.ts'

const sequential = { most: 50, least: 5, budgetMs: 200_000 }
const parallel = 10
const kept = 3

export const containerSessions: Bench = {
  name: 'container-sessions',
  describe:
    'sessions with EXECUTOR=docker, one after the other and at once: what they leave, cost the daemon, and hold',
  async run(context) {
    const missing = await notMeasured()
    if (missing) return [missing]
    const daemon = await countDaemonCalls(context)
    const env = { DOCKER_HOST: daemon.host, MAX_CONCURRENT_SESSIONS: String(parallel) }
    const gateway = await startContainerGateway(context, 'gateway', env)
    const figures: Figure[] = []
    daemon.take()
    for (const [how, atOnce, many] of [
      ['one after the other', 1, sequential],
      ['at once', parallel, { ...sequential, most: 1 }],
    ] as const) {
      const runs: Timings[] = []
      const failed: string[] = []
      for (const _ of rounds(many)) {
        for (const ended of await Promise.allSettled(Array.from({ length: atOnce }, () => gateway.run())))
          if (ended.status === 'fulfilled') runs.push(ended.value)
          else failed.push(String(ended.reason))
        context.say(`${runs.length} ${how}; the last took ${tookOf(runs.slice(-1))}`)
      }
      for (const reason of new Set(failed)) context.say(reason)
      const total = runs.length + failed.length
      const what = `${total} sessions ${how}`
      const left = await leftInTheEnd(gateway.workspaceRoot, context.signal)
      const calls = daemon.take()
      const count = Object.values(calls).reduce((sum, value) => sum + value, 0)
      const names = Object.entries(calls).map(([name, value]) => `${name} ${(value / total).toFixed(1)}`)
      figures.push(
        {
          what: `${what}: failed; containers and directories left`,
          target: '0; 0',
          measured: `${failed.length}; ${left} (a run ${tookOf(runs)})`,
          ok: failed.length + left === 0,
          values: { failed: failed.length, left },
        },
        {
          what: `${what}: calls of the daemon per session`,
          measured: `${(count / total).toFixed(1)} (${names.join(', ')})`,
          values: { callsPerSession: count / total },
        },
      )
    }
    const ids = await Promise.all(Array.from({ length: kept }, () => createSession(gateway.url, 'say: hi')))
    for (const id of ids) {
      const stream = await request(`${gateway.url}/sessions/${id}/stream`)
      await stream.body.text()
    }
    figures.push(memory(await Promise.all(ids.map(memoryOf))), ...(await imageSizes()))
    for (const id of ids) await (await request(`${gateway.url}/sessions/${id}`, { method: 'DELETE' })).body.text()
    await gateway.stop()
    return figures
  },
}

const tookOf = (runs: readonly Timings[]): string =>
  runs.length === 0 ? '–' : ms(median(runs.map((run) => run.total_ms)))

function memory(bytes: readonly number[]): Figure {
  const each = median(bytes)
  return {
    what: 'memory of the container of a session that has had one prompt',
    measured: `${megabytes(each)} (n=${bytes.length})`,
    values: { bytes: each },
  }
}

async function memoryOf(sessionId: string): Promise<number> {
  const name = await docker('ps', '--quiet', '--filter', `label=opencode-gateway.session=${sessionId}`)
  const used = await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', name)
  const [, number, unit = ''] = /^([\d.]+)([KMG])iB/.exec(used) ?? []
  return Number(number) * ({ K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit] ?? Number.NaN)
}

/** Of those images that are there. */
async function imageSizes(): Promise<readonly Figure[]> {
  const names = [engineImage, `${engineImage}-full`, 'opencode-gateway:latest', 'opencode-gateway-docker-gate:latest']
  const figures = names.map(async (name): Promise<readonly Figure[]> => {
    const size = await docker('image', 'inspect', '--format', '{{.Size}}', name).catch(() => undefined)
    if (size === undefined) return []
    return [{ what: `size of the image ${name}`, measured: megabytes(Number(size)), values: { bytes: Number(size) } }]
  })
  return (await Promise.all(figures)).flat()
}
