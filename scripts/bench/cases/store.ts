import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { EventBody, Fence, NewRun, NewSession, Store } from '@opencode-gateway/contracts'
import { createSqliteStore } from '@opencode-gateway/store-sqlite'
import type { Bench, BenchContext, Figure } from '../bench.ts'
import { ms, perSecond, quantiles, quantileValues } from '../lib/format.ts'
import { paced, throughput } from '../lib/loops.ts'
import { median, summarize } from '../lib/stats.ts'

const admission = { maxQueued: 1_000_000 }
const rounds = 3
const limits = { wallMs: 300_000, idleMs: 300_000, askMs: 300_000, modelCalls: 200 }

export const store: Bench = {
  name: 'store',
  describe: 'the store alone: durable sessions and events (fsync at every commit)',
  async run(context) {
    const store = createSqliteStore({ file: join(context.directory, 'gateway.db') })
    context.after(() => store.close())
    await store.open()
    await sessionsPerSecond(store, 200)
    return [
      await creating(store, context),
      await appending(store, 1, context),
      await appending(store, 20, context),
      await latency(store, context),
    ]
  },
}

async function creating(store: Store, { say }: BenchContext): Promise<Figure> {
  const rates: number[] = []
  const took: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const { tookMs, perSecond } = await sessionsPerSecond(store, 2_000)
    took.push(...tookMs)
    rates.push(perSecond)
    say(`createSession: ${perSecond.toFixed(0)}/s`)
  }
  const summary = summarize(took)
  return {
    what: 'createSession with a run, concurrency 50',
    measured: `${perSecond(median(rates))}; ${quantiles(summary)}`,
    values: { perSecond: median(rates), ...quantileValues('took', summary) },
  }
}

/** One writer that waits for each commit, as the event writer of one run does. */
async function appending(store: Store, batch: number, { say }: BenchContext): Promise<Figure> {
  const fence = await claimedRun(store)
  const events = Array.from({ length: batch }, () => event)
  const rates: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const { perSecond } = await throughput(1_000, 1, () => store.append(fence, events, Date.now()))
    rates.push(perSecond * batch)
    say(`append, batches of ${batch}: ${(perSecond * batch).toFixed(0)} events/s`)
  }
  const shared = await manyWriters(store, events)
  return {
    what: `append in batches of ${batch}: one writer, 50 writers`,
    measured: `${perSecond(median(rates))}, ${perSecond(shared)} events`,
    values: { oneWriterPerSecond: median(rates), fiftyWritersPerSecond: shared },
  }
}

async function manyWriters(store: Store, events: readonly EventBody[]): Promise<number> {
  const fences = await Promise.all(Array.from({ length: 50 }, () => claimedRun(store)))
  const writers = await throughput(50, 50, async (index) => {
    const fence = fences[index]
    if (fence) for (let batch = 0; batch < 100; batch += 1) await store.append(fence, events, Date.now())
  })
  return writers.perSecond * 100 * events.length
}

async function latency(store: Store, { say }: BenchContext): Promise<Figure> {
  const fences = await Promise.all(Array.from({ length: 50 }, () => claimedRun(store)))
  const took = await paced(1_000, 8, async (index) => {
    const fence = fences[index % fences.length]
    if (fence) await store.append(fence, [event], Date.now())
  })
  const summary = summarize(took)
  say(`append at 1000/s: ${quantiles(summary)}`)
  return {
    what: 'append of one event, 1 000 a second over 50 runs, open loop',
    measured: `${quantiles(summary)}, max ${ms(summary.max)}`,
    values: quantileValues('append', summary),
  }
}

function sessionsPerSecond(store: Store, count: number): ReturnType<typeof throughput> {
  return throughput(count, 50, () => {
    const { session, run } = order()
    return store.createSession(session, run, admission)
  })
}

async function claimedRun(store: Store): Promise<Fence> {
  const { session, run } = order()
  await store.createSession(session, run, admission)
  const claimed = await store.claimRun(run.runId, { owner: 'bench', leaseUntil: Date.now(), at: Date.now() })
  if (!claimed) throw new Error(`run "${run.runId}" cannot be claimed`)
  return { sessionId: session.sessionId, runId: run.runId, epoch: claimed.epoch }
}

function order(): { session: NewSession; run: NewRun } {
  const sessionId = randomUUID()
  const runId = randomUUID()
  const shared = { sessionId, tenant: 'bench', createdAt: Date.now() }
  const session = { ...shared, executor: 'fake', title: 'bench', labels: {}, oneShot: false, keepWorkspace: false }
  const input = { kind: 'prompt', runId, prompt: 'say: hi' } as const
  return { session, run: { ...shared, runId, input, limits, requestId: 'bench' } }
}

const event: EventBody = {
  type: 'output',
  data: { type: 'text', text: 'forty bytes of text, more or less, here.', part_id: 'part-1' },
}
