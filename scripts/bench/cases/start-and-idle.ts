import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Bench, BenchContext } from '../bench.ts'
import { startEngine } from '../lib/engine.ts'
import { megabytes, ms } from '../lib/format.ts'
import { startServer } from '../lib/server.ts'
import { median } from '../lib/stats.ts'

const targetMs = 1_000
const targetBytes = 120 * 2 ** 20
const rounds = 7
const idleMs = 3_000

export const startAndIdle: Bench = {
  name: 'start-and-idle',
  describe: 'the gateway process as `npm start` runs it: time until it listens and is ready, memory when idle',
  async run(context) {
    const starts: Start[] = []
    const engines: number[] = []
    // One that does not count: the machine has read the files by then.
    for (let round = 0; round <= rounds; round += 1) {
      const start = await startOnce(context, round)
      const engine = await engineAlone(context, round)
      if (round === 0) continue
      starts.push(start)
      engines.push(engine)
      context.say(
        `listening ${ms(start.listeningMs)}, ready ${ms(start.readyMs)}, an engine alone ${ms(engine)}, ${megabytes(start.rssBytes)}`,
      )
    }
    const listening = median(starts.map(({ listeningMs }) => listeningMs))
    const ready = median(starts.map(({ readyMs }) => readyMs))
    const engine = median(engines)
    const own = median(starts.map(({ readyMs }, index) => readyMs - (engines[index] ?? Number.NaN)))
    const rss = median(starts.map(({ rssBytes }) => rssBytes))
    return [
      {
        what: 'from the start of the process until it listens',
        target: `≤ ${ms(targetMs)}`,
        measured: ms(listening),
        ok: listening <= targetMs,
        values: { listeningMs: listening },
      },
      {
        what: 'until it is ready, less the time an engine alone takes (alternating)',
        target: `≤ ${ms(targetMs)}`,
        measured: `${ms(own)} (${ms(ready)}, an engine alone ${ms(engine)})`,
        ok: own <= targetMs,
        values: { ownMs: own, readyMs: ready, engineMs: engine },
      },
      {
        what: 'memory of the gateway process, idle, the scripted model in it',
        target: `≤ ${megabytes(targetBytes)} RSS`,
        measured: megabytes(rss),
        ok: rss <= targetBytes,
        values: { rssBytes: rss },
      },
    ]
  },
}

interface Start {
  listeningMs: number
  readyMs: number
  rssBytes: number
}

async function startOnce(context: BenchContext, round: number): Promise<Start> {
  const dataDir = join(context.directory, `gateway-${round}`)
  await mkdir(dataDir)
  const { listeningMs, readyMs, pid, stop } = await startServer(context, dataDir)
  await sleep(idleMs, undefined, { signal: context.signal })
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
  await stop()
  return { listeningMs, readyMs, rssBytes: Number(stdout) * 1024 }
}

/** Where there is no model: it is not asked for anything. */
async function engineAlone(context: BenchContext, round: number): Promise<number> {
  const cleanUps: (() => Promise<void> | void)[] = []
  const directory = join(context.directory, `alone-${round}`)
  const after = (cleanUp: () => Promise<void> | void): void => void cleanUps.push(cleanUp)
  try {
    return (await startEngine({ ...context, directory, after }, 'http://127.0.0.1:9/v1')).startMs
  } finally {
    for (const cleanUp of cleanUps) await cleanUp()
  }
}
