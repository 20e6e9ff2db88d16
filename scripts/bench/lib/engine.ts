import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { BenchContext } from '../bench.ts'
import { engineBinary, engineEnvironment, type EngineCatalogue } from './lean-engine.ts'

/** An `opencode serve` of the bench's own, for driving it past the gateway as well as through it. */
export interface Engine {
  pid: number
  url: string
  username: string
  password: string
  /** From the start of the process to the line that says it listens, milliseconds. */
  startMs: number
}

const startTimeoutMs = 60_000

export async function startEngine(
  { directory, signal, after }: BenchContext,
  modelUrl: string,
  catalogue?: EngineCatalogue,
): Promise<Engine> {
  const home = join(directory, 'engine')
  await mkdir(home, { recursive: true })
  const password = randomBytes(24).toString('base64url')
  const startedAt = performance.now()
  const child = spawn(engineBinary(), ['serve', '--hostname', '127.0.0.1', '--port', '0'], {
    cwd: home,
    env: { ...(await engineEnvironment(home, modelUrl, catalogue)), OPENCODE_SERVER_PASSWORD: password },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const late = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs)
  try {
    const url = await listening(createInterface({ input: child.stdout, signal }))
    child.stdout.resume()
    return { pid: child.pid ?? 0, url, username: 'opencode', password, startMs: performance.now() - startedAt }
  } finally {
    clearTimeout(late)
  }
}

/** The engine binds its port before it can answer, so only its own line counts. */
async function listening(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const url = /listening on (http:\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the engine ended before it listened')
}
