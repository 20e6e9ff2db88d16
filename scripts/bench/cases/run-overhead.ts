import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createScriptedModel } from '@opencode-gateway/scripted-model'
import { Agent, request } from 'undici'
import type { Bench, BenchContext, Figure } from '../bench.ts'
import { createDirectDriver, directories } from '../lib/direct-run.ts'
import { startEngine } from '../lib/engine.ts'
import { ms, quantiles, quantileValues, ratio } from '../lib/format.ts'
import { startGateway } from '../lib/gateway.ts'
import { engineEnvironment } from '../lib/lean-engine.ts'
import { opencodeRun } from '../lib/opencode-run.ts'
import { quietMoment } from '../lib/quiet.ts'
import { startServer } from '../lib/server.ts'
import { median, summarize, type Summary } from '../lib/stats.ts'

const prompt = 'say: hi'
const pairs = 60
const warmUps = 12
const cliRuns = 5
const targetRatio = 1.15
const targetMs = 15
const targetCli = 15

type Run = () => Promise<number>

export const runOverhead: Bench = {
  name: 'run-overhead',
  describe: 'POST /run against the same prompt driven straight at the same engine, and against `opencode run`',
  async run(context) {
    const model = createScriptedModel()
    context.after(() => model.close())
    const modelUrl = await model.listen()
    const engine = await startEngine(context, modelUrl)
    const gateway = await startGateway(context, { executor: engine })
    const direct = createDirectDriver(engine)
    context.after(() => direct.close())
    const nextDirectory = directories(join(context.directory, 'direct'))
    const http = new Agent()
    context.after(() => http.close())

    const through =
      (url: string): Run =>
      async () => {
        const startedAt = performance.now()
        const answer = await request(`${url}/run`, {
          dispatcher: http,
          method: 'POST',
          headers: { 'content-type': 'text/plain' },
          body: prompt,
        })
        const { output } = (await answer.body.json()) as { output?: string }
        const tookMs = performance.now() - startedAt
        if (answer.statusCode !== 200 || output !== 'hi') throw new Error(`POST /run: ${answer.statusCode} "${output}"`)
        return tookMs
      }
    const straight: Run = async () => {
      const directory = await nextDirectory()
      const startedAt = performance.now()
      const run = await direct.run(prompt, directory)
      const tookMs = performance.now() - startedAt
      if (run.text !== 'hi') throw new Error(`the engine said "${run.text}"`)
      await direct.cleanUp(run)
      return tookMs
    }
    const { ours, theirs } = await alternate(through(gateway.url), straight, context)
    const cli = await commandLine(context, modelUrl)
    const dataDir = join(context.directory, 'whole')
    await mkdir(dataDir)
    const server = await startServer(context, dataDir)
    const whole = await alternate(through(server.url), straight, context)
    return [
      overhead('POST /run', ours, theirs),
      overhead('POST /run of the whole gateway, its own engine behind the model proxy', whole.ours, whole.theirs),
      againstCommandLine(summarize(ours), cli),
    ]
  },
}

async function alternate(
  ours: Run,
  theirs: Run,
  { say, signal }: BenchContext,
): Promise<{ ours: number[]; theirs: number[] }> {
  const took = { ours: [] as number[], theirs: [] as number[] }
  for (let pair = -warmUps; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)
    for (const side of order) {
      const tookMs = await (side === 'ours' ? ours() : theirs())
      if (pair >= 0) took[side].push(tookMs)
      // The gateway has put the run away by then, so that neither side pays for the other's cleaning up.
      await quietMoment(signal)
    }
    if (pair > 0 && pair % 20 === 0) say(`${pair} pairs: ${ms(median(took.ours))} / ${ms(median(took.theirs))}`)
  }
  return took
}

function overhead(what: string, ours: readonly number[], theirs: readonly number[]): Figure {
  const [a, b] = [summarize(ours), summarize(theirs)]
  const differenceMs = a.p50 - b.p50
  return {
    what: `${what} / straight at an engine (new directory, new session, blocking prompt)`,
    target: `≤ ${ratio(targetRatio)} and ≤ ${targetMs} ms more`,
    measured: `${ratio(a.p50 / b.p50)}, ${ms(differenceMs)} more; ${quantiles(a)} / p50 ${ms(b.p50)}, p90 ${ms(b.p90)}, p99 ${ms(b.p99)}`,
    ok: a.p50 / b.p50 <= targetRatio && differenceMs <= targetMs,
    values: {
      ratio: a.p50 / b.p50,
      differenceMs,
      pairedDifferenceMs: median(ours.map((tookMs, index) => tookMs - (theirs[index] ?? Number.NaN))),
      ...quantileValues('gateway', a),
      ...quantileValues('straight', b),
    },
  }
}

async function commandLine(context: BenchContext, modelUrl: string): Promise<Summary> {
  const home = join(context.directory, 'cli')
  const cwd = join(home, 'work')
  await mkdir(cwd, { recursive: true })
  const env = await engineEnvironment(home, modelUrl)
  const took: number[] = []
  for (let run = 0; run <= cliRuns; run += 1) {
    const startedAt = performance.now()
    const output = await opencodeRun(prompt, env, cwd)
    if (!output.includes('"hi"')) throw new Error(`opencode run printed "${output}"`)
    // The first one makes the database.
    if (run > 0) took.push(performance.now() - startedAt)
  }
  return summarize(took)
}

function againstCommandLine(gateway: Summary, cli: Summary): Figure {
  const times = cli.p50 / gateway.p50
  return {
    what: '`opencode run` per request / POST /run, both lean',
    target: `≥ ${targetCli}×`,
    measured: `${ratio(times)} (${ms(cli.p50)} [${ms(cli.min)}–${ms(cli.max)}])`,
    ok: times >= targetCli,
    values: { ratio: times, ...quantileValues('cli', cli) },
  }
}
