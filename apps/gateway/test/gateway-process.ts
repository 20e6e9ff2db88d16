import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The gateway as operators run it: a process with nothing but its environment. */
export interface GatewayProcess extends AsyncDisposable {
  url: string
  pid: number
  /** Everything it wrote so far, on both outputs. */
  logged(): string
  /** The JSON lines of its log so far. */
  records(): readonly Record<string, unknown>[]
  /** Settles once it answers that it is ready. */
  ready(): Promise<void>
  /** Sends the signal and settles with how the process ended; by itself SIGTERM when it is disposed of. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** Where a test run keeps what Node makes of a file, for a process whose environment is its own. */
export function compileCache(): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE: directory } = process.env
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: directory }
}

export interface GatewayProcessOptions {
  dataDir: string
  env?: Readonly<Record<string, string>>
}

const SERVER = fileURLToPath(new URL('../src/server.ts', import.meta.url))
const START_MS = 60_000
const STOP_MS = 60_000
/** Lines of the log that are shown of a gateway that ended by itself. */
const TAIL = 20

/** Settles when the gateway listens; its engine goes on starting behind that. */
export async function startGatewayProcess({ dataDir, env = {} }: GatewayProcessOptions): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [SERVER], {
    // The machine's own settings stay outside, whatever they are.
    env: {
      PATH: process.env['PATH'] ?? '',
      ...compileCache(),
      HOME: dataDir,
      DATA_DIR: dataDir,
      PORT: '0',
      LOG_LEVEL: 'debug',
      RATE_LIMIT_MAX: '1000000',
      ...env,
    },
    cwd: dataDir,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Whatever ends the tests ends the gateway.
  const end = (): void => void child.kill()
  process.once('exit', end)
  const exited = exitOf(child).finally(() => process.off('exit', end))
  const written: string[] = []
  const listening = Promise.withResolvers<string>()
  createInterface({ input: child.stderr }).on('line', (line) => void written.push(line))
  createInterface({ input: child.stdout }).on('line', (line) => {
    written.push(line)
    const address = recordOf(line)?.['address']
    if (typeof address === 'string') listening.resolve(address)
  })

  let stopping = false
  void exited.then((exit) => {
    // What its clients see is a refused connection: the reason is here.
    if (!stopping) process.stderr.write(`the gateway ended by itself with ${JSON.stringify(exit)}; it wrote last:\n`)
    if (!stopping) process.stderr.write(`${written.slice(-TAIL).join('\n')}\n`)
  })

  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    stopping = true
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    try {
      return await exited
    } finally {
      clearTimeout(late)
    }
  }

  const late = setTimeout(() => child.kill('SIGKILL'), START_MS)
  const first = await Promise.race([listening.promise, exited])
  clearTimeout(late)
  if (typeof first !== 'string') assert.fail(`the gateway ended with ${JSON.stringify(first)}:\n${written.join('\n')}`)

  return {
    url: first,
    pid: child.pid ?? 0,
    logged: () => written.join('\n'),
    records: () => written.map(recordOf).filter((record) => record !== undefined),
    stop,
    async ready() {
      const deadline = AbortSignal.timeout(START_MS)
      for (;;) {
        const response = await fetch(`${first}/ready`, { signal: deadline })
        await response.arrayBuffer()
        if (response.status === 200) return
        await sleep(50, undefined, { signal: deadline })
      }
    },
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal }
}

function recordOf(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  const value: unknown = JSON.parse(line)
  return typeof value === 'object' && value !== null ? { ...value } : undefined
}
