import type { Bench } from '../bench.ts'
import { startChild, type Child } from '../lib/child.ts'
import { perSecond, ratio } from '../lib/format.ts'
import { startGateway } from '../lib/gateway.ts'
import { load, rawRequest } from '../lib/load.ts'
import { median } from '../lib/stats.ts'

const target = 0.8
const rounds = 15
const count = 4_000

export const healthz: Bench = {
  name: 'healthz',
  describe: 'the health route against a bare Fastify route with the same logger setting, alternating',
  async run(context) {
    const gateway = await startGateway(context, { executor: 'fake' })
    const bare = await startChild(context, './bare-fastify-process.ts', {})
    await measure(gateway)
    await measure(bare)
    const pairs: { ratio: number; cpuRatio: number; gateway: number; bare: number }[] = []
    for (let round = 0; round < rounds; round += 1) {
      // Whoever comes second has the warmer machine, so they take turns.
      const first = round % 2 === 0 ? gateway : bare
      const a = await measure(first)
      const b = await measure(first === gateway ? bare : gateway)
      const [ours, theirs] = first === gateway ? [a, b] : [b, a]
      pairs.push({
        ratio: ours.perSecond / theirs.perSecond,
        cpuRatio: theirs.cpuMs / ours.cpuMs,
        gateway: ours.perSecond,
        bare: theirs.perSecond,
      })
    }
    const requests = median(pairs.map(({ ratio }) => ratio))
    const cpu = median(pairs.map(({ cpuRatio }) => cpuRatio))
    const gatewayRate = median(pairs.map(({ gateway }) => gateway))
    const bareRate = median(pairs.map(({ bare }) => bare))
    return [
      {
        what: 'requests a second, gateway / bare Fastify, 10 connections',
        target: `≥ ${ratio(target)}`,
        measured: `${ratio(requests)} (${perSecond(gatewayRate)} / ${perSecond(bareRate)})`,
        ok: requests >= target,
        values: { ratio: requests, gatewayPerSecond: gatewayRate, barePerSecond: bareRate },
      },
      {
        what: 'CPU time a request, bare Fastify / gateway',
        measured: ratio(cpu),
        values: { ratio: cpu },
      },
    ]
  },
}

async function measure(server: Child): Promise<{ perSecond: number; cpuMs: number }> {
  const before = await server.usage()
  const requests = [rawRequest(server.url, 'GET', '/healthz')]
  const { perSecond } = await load({ url: server.url, requests, connections: 10, count, status: 200 })
  const after = await server.usage()
  return { perSecond, cpuMs: after.cpuMs - before.cpuMs }
}
