import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createScriptedModel } from '@opencode-gateway/scripted-model'
import type { Bench, BenchContext, Figure } from '../bench.ts'
import { createDirectDriver, directories, type DirectDriver } from '../lib/direct-run.ts'
import { startEngine } from '../lib/engine.ts'
import { megabytes, ms, ratio } from '../lib/format.ts'
import type { EngineCatalogue } from '../lib/lean-engine.ts'
import { median } from '../lib/stats.ts'

const rounds = 3
const wanted = 100
/** An engine with its whole catalogue may come to a standstill before the last directory. */
const longestMs = 1_200_000

interface Round {
  startMs: number
  firstPromptMs: number
  firstBytes: number
}

interface Spread {
  reached: number
  totalMs: number
  bytes: number
  /** In the last directory, when all are open. */
  promptMs: number
}

export const catalogue: Bench = {
  name: 'catalogue',
  describe:
    'an engine with the models in use alone against one with its whole catalogue: first prompt, memory, directories',
  async run(context) {
    const model = createScriptedModel()
    const modelUrl = await model.listen()
    context.after(() => model.close())
    const seen: Record<EngineCatalogue, Round[]> = { lean: [], whole: [] }
    for (let round = 0; round <= rounds; round += 1) {
      for (const kind of round % 2 === 0 ? (['lean', 'whole'] as const) : (['whole', 'lean'] as const)) {
        const one = await withEngine(context, `${kind}-${round}`, { modelUrl, kind }, first)
        // The machine has not read the files before.
        if (round > 0) seen[kind].push(one)
        context.say(
          `${kind}: start ${ms(one.startMs)}, first prompt ${ms(one.firstPromptMs)}, ${megabytes(one.firstBytes)}`,
        )
      }
    }
    const spread = async (kind: EngineCatalogue): Promise<Spread> => {
      const found = await withEngine(context, `${kind}-spread`, { modelUrl, kind }, (engine) =>
        spreadOut(engine, context),
      )
      const prompt = `then a prompt in ${ms(found.promptMs)}`
      context.say(`${kind}: ${found.reached} directories in ${ms(found.totalMs)}, ${megabytes(found.bytes)}, ${prompt}`)
      return found
    }
    const [lean, whole] = [await spread('lean'), await spread('whole')]
    const both = (pick: (round: Round) => number) =>
      [median(seen.lean.map(pick)), median(seen.whole.map(pick))] as const
    return [
      times(
        'from the start of an engine until it listens',
        both((round) => round.startMs),
      ),
      times(
        'its first prompt, in a new directory',
        both((round) => round.firstPromptMs),
      ),
      bytes(
        'memory of the engine after that',
        both((round) => round.firstBytes),
      ),
      times(`opening a directory of ${wanted}`, [lean.totalMs / lean.reached, whole.totalMs / whole.reached]),
      bytes(`memory after them (${lean.reached} and ${whole.reached} were reached)`, [lean.bytes, whole.bytes]),
      times('a prompt in the last of them', [lean.promptMs, whole.promptMs]),
    ]
  },
}

interface RunningEngine {
  driver: DirectDriver
  pid: number
  startMs: number
  directory: string
}

async function withEngine<T>(
  context: BenchContext,
  name: string,
  { modelUrl, kind }: { modelUrl: string; kind: EngineCatalogue },
  use: (engine: RunningEngine) => Promise<T>,
): Promise<T> {
  const cleanUps: (() => Promise<void> | void)[] = []
  const directory = join(context.directory, name)
  await mkdir(directory)
  try {
    const after = (cleanUp: () => Promise<void> | void): void => void cleanUps.push(cleanUp)
    const engine = await startEngine({ ...context, directory, after }, modelUrl, kind)
    const driver = createDirectDriver(engine)
    cleanUps.push(() => driver.close())
    return await use({ driver, pid: engine.pid, startMs: engine.startMs, directory })
  } finally {
    for (const cleanUp of cleanUps) await cleanUp()
  }
}

async function first({ driver, pid, startMs, directory }: RunningEngine): Promise<Round> {
  const next = directories(join(directory, 'work'))
  const place = await next()
  const at = performance.now()
  await driver.run('say: hello', place)
  return { startMs, firstPromptMs: performance.now() - at, firstBytes: await rssOf(pid) }
}

async function spreadOut({ driver, pid, directory }: RunningEngine, { signal }: BenchContext): Promise<Spread> {
  const next = directories(join(directory, 'work'))
  const startedAt = performance.now()
  let [reached, bytes, last] = [0, 0, '']
  while (reached < wanted && performance.now() - startedAt < longestMs && !signal.aborted) {
    last = await next()
    await driver.open(last)
    reached += 1
    bytes = Math.max(bytes, await rssOf(pid))
  }
  const openedAt = performance.now()
  await driver.run('say: hello', last)
  return { reached, totalMs: openedAt - startedAt, bytes, promptMs: performance.now() - openedAt }
}

async function rssOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout) * 1024
}

function times(what: string, [lean, whole]: readonly [number, number]): Figure {
  const values = { leanMs: lean, wholeMs: whole }
  return { what, measured: `${ratio(whole / lean)} with the whole catalogue: ${ms(whole)} / ${ms(lean)}`, values }
}

function bytes(what: string, [lean, whole]: readonly [number, number]): Figure {
  const values = { leanBytes: lean, wholeBytes: whole }
  const measured = `${ratio(whole / lean)} with the whole catalogue: ${megabytes(whole)} / ${megabytes(lean)}`
  return { what, measured, values }
}
