import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmod, lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'undici'
import type { Bench, BenchContext, Figure } from '../bench.ts'
import { startContainerGateway } from '../lib/container-gateway.ts'
import { docker, engineImage, notMeasured } from '../lib/docker.ts'
import { ms, ratio } from '../lib/format.ts'
import { quietMoment } from '../lib/quiet.ts'
import { rounds } from '../lib/rounds.ts'
import { median, summarize } from '../lib/stats.ts'

const pairs = { most: 8, least: 3, budgetMs: 120_000 }
const warmRuns = { most: 20, least: 5, budgetMs: 120_000 }
const targetRatio = 1.15
const targetWarmMs = 300

export const containerStart: Bench = {
  name: 'container-start',
  describe:
    'a session with EXECUTOR=docker: cold against `docker run` and a session in its engine, and from a warm container',
  async run(context) {
    const missing = await notMeasured()
    if (missing) return [missing]
    const cold = await startContainerGateway(context, 'cold')
    const ours: { readyMs: number; firstEventMs: number }[] = []
    const floor: number[] = []
    for (const pair of rounds(pairs)) {
      const { queued_ms, open_ms = Number.NaN, first_event_ms = Number.NaN } = await cold.run()
      await quietMoment(context.signal)
      const floorMs = await dockerRun(context)
      await quietMoment(context.signal)
      // The first pair has the machine read the files.
      if (pair === 0) continue
      const readyMs = queued_ms + open_ms
      ours.push({ readyMs, firstEventMs: readyMs + first_event_ms })
      floor.push(floorMs)
      context.say(`ready ${ms(readyMs)}, first event ${ms(readyMs + first_event_ms)}; docker run ${ms(floorMs)}`)
    }
    await cold.stop()
    return [...coldFigures(ours, floor), await warmFigure(context)]
  },
}

function coldFigures(
  ours: readonly { readyMs: number; firstEventMs: number }[],
  floor: readonly number[],
): readonly Figure[] {
  const [readyMs, firstEventMs] = [median(ours.map((one) => one.readyMs)), median(ours.map((one) => one.firstEventMs))]
  const floorMs = median(floor)
  return [
    {
      what: 'cold: request until the engine has the session / `docker run` of the image until its engine has one',
      target: `≤ ${ratio(targetRatio)}`,
      measured: `${ratio(readyMs / floorMs)} (${ms(readyMs)} / ${ms(floorMs)}, n=${ours.length})`,
      ok: readyMs / floorMs <= targetRatio,
      values: { ratio: readyMs / floorMs, readyMs, floorMs },
    },
    {
      what: 'cold: request until the first event of the run',
      measured: `${ms(firstEventMs)} (${ratio(firstEventMs / floorMs)} of that \`docker run\`)`,
      values: { firstEventMs, ratio: firstEventMs / floorMs },
    },
  ]
}

async function warmFigure(context: BenchContext): Promise<Figure> {
  const gateway = await startContainerGateway(context, 'warm', { DOCKER_WARM_POOL: '1' })
  const took: number[] = []
  const engine: number[] = []
  for (const _ of rounds(warmRuns)) {
    await gateway.untilWarm(1)
    await quietMoment(context.signal)
    const { open_ms = Number.NaN, create_ms, engine_ready_ms = Number.NaN } = await gateway.run()
    if (create_ms !== undefined) throw new Error('a session started cold although a container was waiting')
    took.push(open_ms)
    engine.push(engine_ready_ms)
    context.say(`warm: open ${ms(open_ms)}, of it the container ${ms(engine_ready_ms)}`)
  }
  await gateway.stop()
  const [open, ready] = [summarize(took), summarize(engine)]
  return {
    what: 'warm: claimed until the engine has the session, p95',
    target: `≤ ${ms(targetWarmMs)}`,
    measured: `${ms(open.p95)} (p50 ${ms(open.p50)}; the container alone p50 ${ms(ready.p50)}, p95 ${ms(ready.p95)}; n=${open.n})`,
    ok: open.p95 <= targetWarmMs,
    values: { openP50Ms: open.p50, openP95Ms: open.p95, engineReadyP50Ms: ready.p50, engineReadyP95Ms: ready.p95 },
  }
}

/** The same image with the same engine and limits, by hand, until its engine has made a session. */
async function dockerRun({ directory, signal }: BenchContext): Promise<number> {
  const name = `bench-${randomUUID()}`
  const sockets = join(directory, name)
  await mkdir(sockets)
  await chmod(sockets, 0o777)
  const startedAt = performance.now()
  const hard = ['--network=none', '--init', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges:true']
  const limits = [
    '--memory=1g',
    '--cpus=1',
    '--pids-limit=256',
    '--tmpfs=/tmp:exec',
    '--tmpfs=/home/node:uid=1000,exec',
  ]
  const settings = ['--env=HOME=/home/node', '--env=ENGINE_SOCKETS=/run/engine', '--env=OPENCODE_SERVER_PASSWORD=bench']
  const mounts = ['--tmpfs=/workspace:uid=1000', `--volume=${sockets}:/run/engine`]
  const child = spawn(
    'docker',
    ['run', '--rm', `--name=${name}`, ...hard, ...limits, ...settings, ...mounts, engineImage],
    { stdio: 'ignore' },
  )
  const exited = once(child, 'exit')
  try {
    const socketPath = join(sockets, 'engine.sock')
    while (!(await lstat(socketPath).catch(() => undefined))) {
      if (child.exitCode !== null) throw new Error(`docker run ended with ${child.exitCode}`)
      await sleep(5, undefined, { signal })
    }
    const client = new Client('http://engine', { connect: { socketPath } })
    const authorization = `Basic ${Buffer.from('opencode:bench').toString('base64')}`
    const answer = await client.request({
      path: '/session?directory=/workspace',
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{}',
    })
    await answer.body.text()
    if (answer.statusCode !== 200) throw new Error(`the engine of docker run answered ${answer.statusCode}`)
    const tookMs = performance.now() - startedAt
    await client.close()
    return tookMs
  } finally {
    await docker('rm', '--force', name)
    await exited
  }
}
