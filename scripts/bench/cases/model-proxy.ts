import { Agent, request } from 'undici'
import type { Bench, BenchContext, Figure } from '../bench.ts'
import { startChild, type Child, type Usage } from '../lib/child.ts'
import { ms, quantiles, quantileValues, ratio } from '../lib/format.ts'
import type { PacedCall } from '../lib/paced-provider-process.ts'
import { summarize, type Summary } from '../lib/stats.ts'

const targetMs = 2
const pairs = 400
const warmUps = 50
const pace: PacedCall = { chunks: 250, intervalMs: 20 }
const few = 10
const many = 200

interface Way {
  url: string
  headers: Record<string, string>
}

interface Times {
  firstByteMs: number
  /** From the provider's write of a chunk to its arrival. */
  chunksMs: number[]
}

export const modelProxy: Bench = {
  name: 'model-proxy',
  describe: 'calls of a model through the proxy against straight ones: first byte, and streams of 50 chunks a second',
  async run(context) {
    const provider = await startChild(context, './paced-provider-process.ts', {})
    const proxy = await startChild(context, './model-proxy-process.ts', { baseURL: provider.url })
    const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
    context.after(() => dispatcher.destroy())
    const [base = '', token = ''] = proxy.url.split('#')
    const common = { 'content-type': 'application/json', 'x-session-id': 'ses_bench' }
    const proxied: Way = { url: `${base}/chat/completions`, headers: { ...common, authorization: `Bearer ${token}` } }
    const straight: Way = { url: `${provider.url}/chat/completions`, headers: common }

    const single = { straight: [] as number[], proxied: [] as number[] }
    for (let pair = -warmUps; pair < pairs; pair += 1) {
      const order = pair % 2 === 0 ? (['straight', 'proxied'] as const) : (['proxied', 'straight'] as const)
      for (const way of order) {
        const times = await call(way === 'proxied' ? proxied : straight, dispatcher, { chunks: 1, intervalMs: 0 })
        if (pair >= 0) single[way].push(times.firstByteMs)
      }
    }
    const fewStraight = await streams(few, straight, dispatcher, context)
    const fewProxied = await streams(few, proxied, dispatcher, context)
    const manyStraight = await streams(many, straight, dispatcher, context)
    const idle = await proxy.usage()
    const manyProxied = await streams(many, proxied, dispatcher, context)
    return [
      firstByte(summarize(single.proxied), summarize(single.straight)),
      perChunk(few, fewProxied, fewStraight),
      perChunk(many, manyProxied, manyStraight),
      await memory(proxy, idle),
    ]
  },
}

async function call({ url, headers }: Way, dispatcher: Agent, wanted: PacedCall): Promise<Times> {
  const startedAt = performance.now()
  const body = JSON.stringify({ model: 'm', ...wanted })
  const answer = await request(url, { dispatcher, method: 'POST', headers, body })
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${await answer.body.text()}`)
  let firstByteMs: number | undefined
  const chunksMs: number[] = []
  for await (const chunk of answer.body) {
    firstByteMs ??= performance.now() - startedAt
    const now = performance.timeOrigin + performance.now()
    for (const [, at] of String(chunk).matchAll(/"at":([\d.]+)/g)) chunksMs.push(now - Number(at))
  }
  return { firstByteMs: firstByteMs ?? Number.NaN, chunksMs }
}

async function streams(count: number, way: Way, dispatcher: Agent, { say }: BenchContext): Promise<Summary> {
  const all = await Promise.all(Array.from({ length: count }, () => call(way, dispatcher, pace)))
  const summary = summarize(all.flatMap(({ chunksMs }) => chunksMs))
  say(`${count} streams: ${quantiles(summary)}`)
  return summary
}

function firstByte(ours: Summary, theirs: Summary): Figure {
  const addedMs = ours.p50 - theirs.p50
  return {
    what: 'first byte of an answer, through the proxy / straight (alternating, an answer of one chunk)',
    target: `≤ ${ms(targetMs)} more at p50`,
    measured: `${ms(addedMs)} more, ${ratio(ours.p50 / theirs.p50)}; p99 ${ms(ours.p99 - theirs.p99)} more; ${quantiles(ours)} / p50 ${ms(theirs.p50)}, p99 ${ms(theirs.p99)}`,
    ok: addedMs <= targetMs,
    values: { addedMs, ...quantileValues('proxied', ours), ...quantileValues('straight', theirs) },
  }
}

function perChunk(count: number, ours: Summary, theirs: Summary): Figure {
  const addedMs = ours.p50 - theirs.p50
  return {
    what: `each chunk, written to read, of ${count} streams at 50 chunks a second, through the proxy / straight`,
    target: `≤ ${ms(targetMs)} more at p50`,
    measured: `${ms(addedMs)} more, ${ratio(ours.p50 / theirs.p50)}; ${quantiles(ours)} / ${quantiles(theirs)}`,
    ok: addedMs <= targetMs,
    values: { addedMs, ...quantileValues('proxied', ours), ...quantileValues('straight', theirs) },
  }
}

async function memory(proxy: Child, idle: Usage): Promise<Figure> {
  const { peakRssBytes, cpuMs } = await proxy.usage()
  const perStream = Math.max(0, peakRssBytes - idle.rssBytes) / many
  const microseconds = ((cpuMs - idle.cpuMs) * 1000) / (many * pace.chunks)
  return {
    what: `memory of the proxy's process for each of ${many} streams, at its peak`,
    measured: `${(perStream / 1024).toFixed(0)} KB; ${microseconds.toFixed(0)} µs of its CPU for each chunk`,
    values: { perStreamBytes: perStream, idleBytes: idle.rssBytes, peakRssBytes, chunkMicroseconds: microseconds },
  }
}
