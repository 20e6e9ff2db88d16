import { mkdir } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { createGitServer } from '@opencode-gateway/executor-testing'
import { Agent, request } from 'undici'
import type { Bench } from '../bench.ts'
import { ms, quantileValues, ratio } from '../lib/format.ts'
import { quietMoment } from '../lib/quiet.ts'
import { startServer } from '../lib/server.ts'
import { median, summarize } from '../lib/stats.ts'

const files = 2_000
const atOnce = 10
const rounds = 5
const pairs = 10
const warmUps = 1

interface Ran {
  tookMs: number
  /** From the workspace with what it begins with to the prompt: the engine's session, for the most part. */
  readyToPromptMs: number
}

export const repositorySessions: Bench = {
  name: 'repository-sessions',
  describe: 'ten runs at once on one repository against one, and what is between a workspace and its prompt',
  async run(context) {
    const { after, signal, say } = context
    const server = await createGitServer({ path: process.env['PATH'] ?? '/usr/bin:/bin' })
    after(async () => await server.close())
    const text = 'a line of a file of the repository\n'.repeat(50)
    const named = Array.from({ length: files }, (_, index) => [`d${index % 50}/f${index}.txt`, text] as const)
    const repository = await server.addRepository('demo', Object.fromEntries(named))
    const dataDir = join(context.directory, 'whole')
    await mkdir(dataDir)
    // Nothing is refused because the machine does other things as well.
    const calm = { RATE_LIMIT_MAX: '10000000', MAX_EVENT_LOOP_DELAY: '60s' }
    const env = { GIT_ALLOWED_HOSTS: server.host, MAX_CONCURRENT_SESSIONS: String(atOnce), ...calm }
    const { url } = await startServer(context, dataDir, env)
    const http = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
    after(() => http.close())

    async function run(body: object): Promise<Ran> {
      const startedAt = performance.now()
      const answer = await request(`${url}/run`, {
        dispatcher: http,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'say: hi', ...body }),
        signal,
      })
      const { output, timings, error } = (await answer.body.json()) as Answer
      const tookMs = performance.now() - startedAt
      if (answer.statusCode !== 200 || output !== 'hi')
        throw new Error(`POST /run: ${answer.statusCode} "${error ?? output}"`)
      return { tookMs, readyToPromptMs: (timings?.open_ms ?? Number.NaN) - (timings?.clone_ms ?? 0) }
    }
    const timed = async (count: number): Promise<number> => {
      await quietMoment(signal)
      const startedAt = performance.now()
      await Promise.all(Array.from({ length: count }, () => run({ repository })))
      return performance.now() - startedAt
    }

    const took = { one: [] as number[], ten: [] as number[] }
    for (let round = -warmUps; round < rounds; round += 1) {
      const [one, ten] = [await timed(1), await timed(atOnce)]
      if (round < 0) continue
      took.one.push(one)
      took.ten.push(ten)
      say(`one ${ms(one)}, ${atOnce} at once ${ms(ten)}`)
    }
    const ready = { filled: [] as number[], empty: [] as number[] }
    for (let pair = 0; pair < pairs; pair += 1) {
      const order = pair % 2 === 0 ? (['filled', 'empty'] as const) : (['empty', 'filled'] as const)
      for (const side of order) {
        await quietMoment(signal)
        ready[side].push((await run(side === 'filled' ? { repository } : {})).readyToPromptMs)
      }
    }

    const [one, ten] = [median(took.one), median(took.ten)]
    const [filled, empty] = [summarize(ready.filled), summarize(ready.empty)]
    const load = `load ${(loadavg()[0] ?? 0).toFixed(1)}`
    return [
      {
        what: `${atOnce} runs at once on one repository of ${files} files / one alone`,
        measured: `${ratio(ten / one)}, ${ratio(ten / one / atOnce)} per run: ${ms(ten)} / ${ms(one)} (${load})`,
        values: { oneMs: one, tenMs: ten, load1: loadavg()[0] ?? 0 },
      },
      {
        what: 'workspace ready until the prompt is sent, with a repository / with nothing in it',
        measured: `${ratio(filled.p50 / empty.p50)}: p50 ${ms(filled.p50)} / ${ms(empty.p50)} (${load})`,
        values: { ...quantileValues('repository', filled), ...quantileValues('empty', empty) },
      },
    ]
  },
}

interface Answer {
  output?: string
  error?: string | null
  timings?: { open_ms?: number; clone_ms?: number }
}
