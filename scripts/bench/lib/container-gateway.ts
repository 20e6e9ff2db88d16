import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Timings } from '@opencode-gateway/contracts'
import { request } from 'undici'
import type { BenchContext } from '../bench.ts'
import { engineImage } from './docker.ts'
import { startServer } from './server.ts'

/** A gateway whose sessions have containers. */
export interface ContainerGateway {
  url: string
  workspaceRoot: string
  /** One shot; its times, without those of its putting away. */
  run(): Promise<Timings>
  /** Waits until so many containers wait for a session. */
  untilWarm(count: number): Promise<void>
  stop(): Promise<void>
}

export async function startContainerGateway(
  context: BenchContext,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ContainerGateway> {
  const dataDir = join(context.directory, name)
  await mkdir(dataDir)
  // What takes long is to be measured, not given up.
  const patient = { START_TIMEOUT: '10m', MAX_EXECUTION_TIME: '15m' }
  const own = { EXECUTOR: 'docker', OPENCODE_IMAGE: engineImage, DOCKER_HOST: process.env['DOCKER_HOST'] ?? '' }
  const { url, stop } = await startServer(context, dataDir, { ...own, ...patient, MODEL_PROXY_PORT: '0', ...env })
  return {
    url,
    stop,
    workspaceRoot: join(dataDir, 'workspaces'),
    async run() {
      const answer = await request(`${url}/run`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        headersTimeout: 0,
        body: 'say: hi',
      })
      const { output, error, timings } = (await answer.body.json()) as {
        output?: string
        error?: string
        timings: Timings
      }
      if (answer.statusCode !== 200 || output !== 'hi')
        throw new Error(`POST /run: ${answer.statusCode} "${output}" ${error}`)
      return timings
    },
    async untilWarm(count) {
      for (;;) {
        const text = await (await request(`${url}/metrics`)).body.text()
        const ready = /warm_containers\{state="ready"\} (\d+)/.exec(text)?.[1]
        if (Number(ready) >= count) return
        await sleep(100, undefined, { signal: context.signal })
      }
    },
  }
}
