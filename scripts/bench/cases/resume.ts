import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createScriptedModel } from '@opencode-gateway/scripted-model'
import type { Bench, BenchContext, Figure } from '../bench.ts'
import { createSession, streamUrl } from '../lib/api.ts'
import { startEngine } from '../lib/engine.ts'
import { startGateway } from '../lib/gateway.ts'
import { throughput } from '../lib/loops.ts'
import type { Pace } from '../lib/paced-executor.ts'
import { createRandom } from '../lib/random.ts'
import { difference, readTranscript, type Transcript } from '../lib/transcript.ts'

const randomCuts = 200
const kills = 3
const steps = 12
const seed = 20_250_101

export const resume: Bench = {
  name: 'resume',
  describe: 'readers that are cut off and come back, and gateways that are killed: is the transcript identical?',
  async run(context) {
    return [await everyByte(context), await atRandom(context), await killed(context)]
  },
}

/** A log of 200 events that has ended, cut once at every byte of its stream. */
async function everyByte(context: BenchContext): Promise<Figure> {
  const gateway = await startGateway(context, { executor: 'paced', env: { MAX_STREAMS_PER_KEY: '1000000' } })
  const { signal } = context
  const agent = new Agent({ keepAlive: false })
  const url = await begin(gateway.url, { events: 197, perSecond: 2_000 })
  await readTranscript({ url, signal })
  const whole = await readTranscript({ url, signal })
  context.say(`${whole.lines.length} events, ${whole.bytes} bytes, each is a place to cut`)
  let wrong: string | undefined
  let broken = 0
  const { perSecond } = await throughput(whole.bytes, 8, async (index) => {
    const cuts: (number | undefined)[] = [index]
    const got = await readTranscript({ url, agent, signal, nextCut: () => cuts.shift() })
    const differs = difference(got.lines, whole.lines)
    if (differs === undefined) return
    broken += 1
    wrong ??= `cut at byte ${index}: ${differs}`
  })
  await gateway.stop()
  return figure({
    what: `${whole.lines.length} events, the stream cut at every byte offset`,
    measured: `${whole.bytes} cuts, ${broken} transcripts differ (${perSecond.toFixed(0)} cuts/s)`,
    wrong,
    values: { cuts: whole.bytes, different: broken },
  })
}

/** A log of 10 000 events while it grows, cut at 200 random places. */
async function atRandom(context: BenchContext): Promise<Figure> {
  const gateway = await startGateway(context, { executor: 'paced' })
  const { signal } = context
  const random = createRandom(seed)
  // A little less than would spread the cuts over the whole stream, so that all of them come to pass.
  const spacing = (10_000 * 160) / randomCuts
  let cuts = 0
  const nextCut = (): number | undefined => {
    if (cuts === randomCuts) return undefined
    cuts += 1
    return 1 + Math.floor(random() * 2 * spacing)
  }
  const url = await begin(gateway.url, { events: 10_000, perSecond: 1_500 })
  const live = await readTranscript({ url, signal, nextCut })
  const whole = await readTranscript({ url, signal })
  await gateway.stop()
  return figure({
    what: `${whole.lines.length} events while they come, cut at random places (seed ${seed})`,
    measured: `${live.connections - 1} cuts, ${summary(live, whole)}`,
    wrong: difference(live.lines, whole.lines) ?? notDense(whole),
    values: { cuts: live.connections - 1, events: whole.lines.length },
  })
}

/** A run on a real engine, the gateway killed under it and started again; the reader comes back on its own. */
async function killed(context: BenchContext): Promise<Figure> {
  const { signal, say } = context
  const model = createScriptedModel()
  context.after(() => model.close())
  const engine = await startEngine(context, await model.listen())
  let gateway = await startGateway(context, { executor: engine })
  const port = Number(new URL(gateway.url).port)
  const turn = (step: number): string => `slow: 8 x 100\nrun: echo step-${step}`
  const script = Array.from({ length: steps }, (_, step) => turn(step + 1)).join('\n')
  const url = streamUrl(gateway.url, await createSession(gateway.url, `${script}\nsay: end`))
  const reading = readTranscript({ url, signal })
  const random = createRandom(seed)
  for (let kill = 1; kill <= kills; kill += 1) {
    await sleep(1_000 + 1_000 * random(), undefined, { signal })
    await gateway.kill()
    gateway = await startGateway(context, { executor: engine, port })
    say(`killed and started again, ${kill} of ${kills}`)
  }
  const live = await reading
  const whole = await readTranscript({ url, signal })
  await gateway.stop()
  return figure({
    what: `a run on the real engine, the gateway killed ${kills} times under it`,
    measured: `${live.connections} connections, ${summary(live, whole)}, ${outcomeOf(whole)}`,
    wrong: difference(live.lines, whole.lines) ?? notDense(whole) ?? notWhole(whole),
    values: { kills, events: whole.lines.length },
  })
}

async function begin(gatewayUrl: string, pace: Pace): Promise<string> {
  return streamUrl(gatewayUrl, await createSession(gatewayUrl, JSON.stringify(pace)))
}

function summary(live: Transcript, whole: Transcript): string {
  return difference(live.lines, whole.lines) === undefined
    ? `${whole.lines.length} events, identical`
    : 'the transcript DIFFERS'
}

function figure({
  wrong,
  ...rest
}: Pick<Figure, 'what' | 'measured' | 'values'> & { wrong: string | undefined }): Figure {
  const measured = wrong === undefined ? rest.measured : `${rest.measured}: ${wrong.slice(0, 300)}`
  return { ...rest, measured, target: 'identical', ok: wrong === undefined }
}

/** Every event once, in order, and one `complete`, the last. */
function notDense({ lines }: Transcript): string | undefined {
  const gap = lines.findIndex((line, index) => !line.startsWith(`${index + 1} `))
  if (gap >= 0) return `event ${gap + 1} of the log is "${lines[gap]}"`
  const completes = lines.filter((line) => line.split(' ', 2)[1] === 'complete').length
  return completes === 1 ? undefined : `${completes} complete events`
}

/** What the agent did, all of it and nothing twice. */
function notWhole(transcript: Transcript): string | undefined {
  const ticks = Array.from({ length: 8 }, (_, tick) => `tick-${tick + 1}`).join(' ')
  const text = textOf(transcript)
  if (text !== `${ticks.repeat(steps)}end`) return `the text is "${text}"`
  const results = transcript.lines.filter((line) => line.split(' ', 2)[1] === 'tool_result')
  return results.length === steps ? undefined : `${results.length} tool results`
}

function textOf({ lines }: Transcript): string {
  const said = lines.map(dataOf).filter(({ type }) => type === 'text')
  return said.map(({ text }) => text).join('')
}

function outcomeOf({ lines }: Transcript): string {
  return dataOf(lines.at(-1) ?? '').outcome ?? 'no outcome'
}

function dataOf(line: string): { type?: string; text?: string; outcome?: string } {
  return JSON.parse(line.slice(line.indexOf('{'))) as ReturnType<typeof dataOf>
}
