import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ChaosContext } from '../scenario.ts'

/** A gateway as an operator runs it: its own process, configured by its environment alone. */
export interface Gateway {
  readonly url: string
  readonly pid: number
  /** When it said that it listens, milliseconds since the epoch. */
  readonly listeningAt: number
  /** Settles once runs can start and those of former processes are seen to; rejects when it ends before that. */
  readonly ready: Promise<void>
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Its last lines at level `warn` and above, cut to a length that can be read. */
  warnings(): readonly string[]
  /** As a crash ends it: nothing is flushed, nothing is freed. */
  kill(): Promise<void>
  /** As an operator ends it. */
  stop(): Promise<void>
}

export type GatewayEnvironment = Readonly<Record<string, string>>

const entry = fileURLToPath(new URL('../../../apps/gateway/src/server.ts', import.meta.url))
const startTimeoutMs = 60_000
const stopTimeoutMs = 60_000
const linesKept = 20
const lineKept = 600
const warnLevel = 40

/** Settles when it listens; throws, with what it said, when it ends before that. */
export async function startGateway(
  { signal }: Pick<ChaosContext, 'signal'>,
  dataDir: string,
  environment: GatewayEnvironment,
): Promise<Gateway> {
  const child = spawn(process.execPath, [entry], {
    cwd: dataDir,
    env: {
      PATH: process.env['PATH'],
      HOME: dataDir,
      DATA_DIR: dataDir,
      PORT: '0',
      RATE_LIMIT_MAX: '10000000',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit').then(([code, how]) => ({
    code: code as number | null,
    signal: how as NodeJS.Signals | null,
  }))
  const listening = Promise.withResolvers<string>()
  const ready = Promise.withResolvers<void>()
  const warnings: string[] = []
  const errors: string[] = []
  const keep = (kept: string[], line: string): void => {
    kept.push(line.slice(0, lineKept))
    if (kept.length > linesKept) kept.shift()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { msg, address, level = 0 } = JSON.parse(line) as { msg?: string; address?: string; level?: number }
    if (level >= warnLevel) keep(warnings, line)
    if (msg === 'listening' && address !== undefined) listening.resolve(address)
    if (msg === 'ready') ready.resolve()
  })
  createInterface({ input: child.stderr }).on('line', (line) => keep(errors, line))
  void exited.then(({ code, signal: how }) => {
    const error = new Error(`the gateway ended (${how ?? code}): ${[...warnings, ...errors].join('\n')}`)
    listening.reject(error)
    ready.reject(error)
  })
  ready.promise.catch(() => {})

  async function end(how: NodeJS.Signals, limitMs: number): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(how)
    const late = setTimeout(() => child.kill('SIGKILL'), limitMs)
    await exited
    clearTimeout(late)
  }

  const late = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs)
  const interrupt = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', interrupt, { once: true })
  void exited.then(() => signal.removeEventListener('abort', interrupt))
  try {
    const url = await listening.promise
    return {
      url,
      pid: child.pid ?? 0,
      listeningAt: Date.now(),
      ready: ready.promise,
      exited,
      warnings: () => warnings,
      kill: () => end('SIGKILL', stopTimeoutMs),
      stop: () => end('SIGTERM', stopTimeoutMs),
    }
  } finally {
    clearTimeout(late)
  }
}
