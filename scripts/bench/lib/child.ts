import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { BenchContext } from '../bench.ts'

/** A process of the bench that serves something on a port of the loopback interface. */
export interface Child {
  url: string
  pid: number
  /** From the fork until it listened, milliseconds. */
  startMs: number
  usage(): Promise<Usage>
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>
  /** Ends it as a crash would. */
  kill(): Promise<void>
}

export interface Usage {
  rssBytes: number
  /** The most it ever had. */
  peakRssBytes: number
  /** User and system time so far, milliseconds. */
  cpuMs: number
}

export type ToChild = 'usage' | 'stop'
export type FromChild = { kind: 'listening'; url: string } | { kind: 'usage'; usage: Usage }

const stopTimeoutMs = 20_000

/** How Node is started for it; as it comes unless given. */
export interface NodeOptions {
  flags: readonly string[]
  env: NodeJS.ProcessEnv
}

/** Starts a module that calls `serveBench`; it ends with the bench. Standard output is discarded, errors are shown. */
export async function startChild(
  { after, signal }: Pick<BenchContext, 'after' | 'signal'>,
  module: string,
  settings: object,
  { flags, env }: NodeOptions = { flags: [], env: {} },
): Promise<Child> {
  const startedAt = performance.now()
  const child = fork(new URL(module, import.meta.url), [JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...flags],
    env: { ...process.env, ...env },
  })
  const exited = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  after(kill)
  const { url } = await receive(child, 'listening', AbortSignal.any([signal, AbortSignal.timeout(60_000)]))
  return {
    url,
    pid: child.pid ?? 0,
    startMs: performance.now() - startedAt,
    kill,
    async usage() {
      const answer = receive(child, 'usage', signal)
      child.send('usage' satisfies ToChild)
      return (await answer).usage
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.send('stop' satisfies ToChild)
      const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await exited
      clearTimeout(late)
    },
  }
}

async function receive<K extends FromChild['kind']>(
  child: ChildProcess,
  kind: K,
  signal: AbortSignal,
): Promise<Extract<FromChild, { kind: K }>> {
  const died = new AbortController()
  const onExit = (code: number | null): void => died.abort(new Error(`the process ended with code ${code}`))
  child.once('exit', onExit)
  try {
    for (;;) {
      const [message] = (await once(child, 'message', { signal: AbortSignal.any([signal, died.signal]) })) as [
        FromChild,
      ]
      if (message.kind === kind) return message as Extract<FromChild, { kind: K }>
    }
  } finally {
    child.off('exit', onExit)
  }
}
