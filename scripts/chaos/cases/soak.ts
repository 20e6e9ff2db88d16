import { setTimeout as sleep } from 'node:timers/promises'
import { megabytes } from '../../bench/lib/format.ts'
import type { Figure } from '../../bench/bench.ts'
import { growthBytes, handlesReturn, steadyMemory, type SoakFacts, type Usage } from '../checks/steady.ts'
import { examineAftermath } from '../lib/aftermath.ts'
import type { Talk } from '../lib/converse.ts'
import { makeOrder, makeSlowOrder } from '../lib/orders.ts'
import { setScene, type Scene } from '../lib/scene.ts'
import { talkAll } from '../lib/talk-all.ts'
import { usageOf } from '../lib/usage.ts'
import { waitUntil } from '../lib/wait-until.ts'
import type { Scenario } from '../scenario.ts'

const runs = 8
const sampleMs = 500
/** The heap finds its size and the code its final form. */
const warmUpShare = 0.3
/** Connections that nobody uses are kept for half a minute. */
const settleMs = 60_000

export const soak: Scenario = {
  name: 'soak',
  describe: `${runs} slow streams at the same time, and a command, for the minutes asked for`,
  async run(context) {
    const durationMs = context.minutes(1) * 60_000
    const scene = await setScene(context, { MAX_CONCURRENT_SESSIONS: String(runs + 1) })
    const { site, ledger } = scene
    await (
      await site.start()
    ).ready
    await work(scene, 'warm-up', 2_000)
    const idleBefore = await sample(scene, 0)
    const working: Usage[] = []
    const sampling = new AbortController()
    const startedAt = performance.now()
    const sampled = (async () => {
      while (!sampling.signal.aborted) {
        working.push(await sample(scene, performance.now() - startedAt))
        await sleep(sampleMs)
      }
    })()
    const talks = await talk(scene, 'soak', durationMs)
    const tookMs = performance.now() - startedAt
    sampling.abort()
    await sampled
    await examineTalks(scene, talks, 'after the soak')
    let idleAfter = await sample(scene, tookMs)
    await waitUntil(
      async () => {
        idleAfter = await sample(scene, tookMs)
        return idleAfter.handles <= idleBefore.handles
      },
      { withinMs: settleMs, signal: context.signal },
    )
    const warm = working.filter(({ atMs }) => atMs >= tookMs * warmUpShare)
    const facts = { idleBefore, idleAfter, working: warm }
    ledger.check(steadyMemory, [facts], 'soak')
    ledger.check(handlesReturn, [facts], 'soak')
    const { figures, violations } = ledger.close()
    return { figures: [...soakFigures(facts, tookMs), ...figures], violations }
  },
}

function talk({ context, site }: Scene, name: string, durationMs: number): Promise<readonly Talk[]> {
  const orders = Array.from({ length: runs }, (_, i) => makeSlowOrder(`${context.seed}/${name}/${i}`, durationMs))
  orders.push(makeOrder('command', `${context.seed}/${name}/command`))
  return talkAll(
    context,
    site,
    orders.map((order) => ({ route: 'sessions', orders: [order] })),
    durationMs * 3 + 60_000,
  )
}

async function examineTalks(scene: Scene, talks: readonly Talk[], where: string): Promise<void> {
  await examineAftermath(scene, talks, { where, others: [], engineSurvives: true, roots: [] })
}

async function work(scene: Scene, name: string, durationMs: number): Promise<void> {
  await examineTalks(scene, await talk(scene, name, durationMs), name)
}

async function sample({ site }: Scene, atMs: number): Promise<Usage> {
  return { atMs, ...(await usageOf(site.gateway().pid)) }
}

function soakFigures({ idleBefore, idleAfter, working }: SoakFacts, tookMs: number): readonly Figure[] {
  const peak = Math.max(...working.map(({ rssBytes }) => rssBytes))
  return [
    { what: 'duration', measured: `${(tookMs / 60_000).toFixed(1)} minutes, ${working.length} samples after warm-up` },
    {
      what: 'memory before, at most, after',
      measured: [idleBefore.rssBytes, peak, idleAfter.rssBytes].map(megabytes).join(', '),
      values: { beforeBytes: idleBefore.rssBytes, peakBytes: peak, afterBytes: idleAfter.rssBytes },
    },
    {
      what: 'growth while runs work',
      measured: `${(growthBytes(working) / 2 ** 20).toFixed(1)} MB`,
      target: '≤ 10 MB',
      ok: growthBytes(working) <= 10 * 2 ** 20,
      values: { growthBytes: growthBytes(working) },
    },
    {
      what: 'handles before, after',
      measured: `${idleBefore.handles}, ${idleAfter.handles}`,
      values: { before: idleBefore.handles, after: idleAfter.handles },
    },
  ]
}
