import type { Bench } from '../bench.ts'
import { ms, perSecond, quantiles, quantileValues } from '../lib/format.ts'
import { startGateway } from '../lib/gateway.ts'
import { load, rawRequest } from '../lib/load.ts'
import { median, summarize } from '../lib/stats.ts'

const target = 500
const rounds = 5
const count = 1_500

export const createSessions: Bench = {
  name: 'create-sessions',
  describe: 'durable POST /sessions, idle and with a run, over HTTP',
  async run(context) {
    const gateway = await startGateway(context, {
      executor: 'fake',
      env: { MAX_QUEUED_RUNS: '100000', MAX_CONCURRENT_SESSIONS: '50' },
    })
    const figures = []
    for (const [what, body] of [
      ['without a prompt', {}],
      ['with a prompt, its run carried out meanwhile', { prompt: 'say: hi' }],
    ] as const) {
      const requests = [rawRequest(gateway.url, 'POST', '/sessions', body)]
      const options = { url: gateway.url, requests, connections: 25, status: 201 }
      await load({ ...options, count: 300 })
      const rates: number[] = []
      const took: number[] = []
      for (let round = 0; round < rounds; round += 1) {
        const { perSecond, tookMs } = await load({ ...options, count })
        rates.push(perSecond)
        took.push(...tookMs)
      }
      const rate = median(rates)
      const summary = summarize(took)
      context.say(`POST /sessions ${what}: ${rate.toFixed(0)}/s, ${quantiles(summary)}`)
      figures.push({
        what: `POST /sessions ${what}, 25 connections`,
        target: `≥ ${perSecond(target)}`,
        measured: `${perSecond(rate)}; ${quantiles(summary)}, max ${ms(summary.max)}`,
        ok: rate >= target,
        values: { perSecond: rate, ...quantileValues('took', summary) },
      })
    }
    return figures
  },
}
