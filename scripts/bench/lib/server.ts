import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gatewayCommand } from '../../toolchain/gateway-command.mjs'
import type { BenchContext } from '../bench.ts'

/** The gateway as `npm start` runs it, with an engine and a model of its own. */
export interface Server {
  url: string
  pid: number
  /** From the start of the process, milliseconds. */
  listeningMs: number
  readyMs: number
  stop(): Promise<void>
}

const command = gatewayCommand({ root: fileURLToPath(new URL('../../..', import.meta.url)) })
const startTimeoutMs = 60_000

export async function startServer(
  { signal, after }: BenchContext,
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...command.flags, command.entry], {
    cwd: dataDir,
    env: { ...command.env, PATH: process.env['PATH'], HOME: dataDir, DATA_DIR: dataDir, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs)
    await exited
    clearTimeout(late)
  }
  after(stop)
  const lines = createInterface({
    input: child.stdout,
    signal: AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]),
  })
  let listening: { url: string; atMs: number } | undefined
  for await (const line of lines) {
    const { msg, address } = JSON.parse(line) as { msg?: string; address?: string }
    const atMs = performance.now() - startedAt
    if (msg === 'listening' && address !== undefined) listening = { url: address, atMs }
    if (msg !== 'ready' || !listening) continue
    // A reader of lines that its signal closes later would pause the output, and the gateway stands still once it is full.
    lines.close()
    child.stdout.resume()
    return { url: listening.url, pid: child.pid ?? 0, listeningMs: listening.atMs, readyMs: atMs, stop }
  }
  throw new Error('the gateway ended before it was ready')
}
