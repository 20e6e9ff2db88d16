import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { ExecutorError } from '@opencode-gateway/contracts'
import { keepTail } from './log-tail.ts'
import { killMarked, killMarkedNow } from './marked-processes.ts'

export interface EngineProcessOptions {
  binary: string
  directory: string
  environment: Readonly<Record<string, string>>
  /** Entries of the environment of the engine and all it starts; the last is its own alone. */
  marks: readonly [...string[], string]
  secrets: readonly string[]
  startTimeoutMs: number
  stopGraceMs: number
  killTimeoutMs: number
}

export interface EngineProcess {
  readonly url: string
  readonly pid: number
  /** Settles when the process has ended, with a sentence on how and the last lines it wrote. */
  readonly exited: Promise<string>
  /** Ends the engine and all it started: asks first, then, after the grace time or when `hurry` aborts, by force. */
  stop(hurry?: AbortSignal): Promise<void>
  /** The same by force at once; also for what an engine left that has ended. */
  kill(): Promise<void>
}

const TAIL_LINES = 20
const PORT_ATTEMPTS = 5

/**
 * Starts an engine on a free port of the loopback interface and waits until it can answer. A process that exits without
 * having stopped its engine takes it and all it started along.
 */
export async function startEngineProcess(options: EngineProcessOptions, signal: AbortSignal): Promise<EngineProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await tryPort(options, await freePort(), signal)
    if ('url' in started) return started
    if (attempt >= PORT_ATTEMPTS || !/ServeError|EADDRINUSE|in use/i.test(started.reason)) {
      throw new ExecutorError('EXECUTOR_UNAVAILABLE', `the OpenCode engine did not start: ${started.reason}`)
    }
  }
}

async function tryPort(
  options: EngineProcessOptions,
  port: number,
  signal: AbortSignal,
): Promise<EngineProcess | { reason: string }> {
  const own = options.marks[options.marks.length - 1] ?? ''
  const child = spawn(options.binary, ['serve', '--hostname', '127.0.0.1', '--port', String(port)], {
    cwd: options.directory,
    env: { ...options.environment, ...Object.fromEntries(options.marks.map(splitEntry)) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const listening = Promise.withResolvers<string>()
  const onLine = (line: string): void => {
    const url = /listening on (http:\/\/\S+)/.exec(line)?.[1]
    if (url !== undefined) listening.resolve(url)
  }
  const tail = keepTail([child.stdout, child.stderr], { lines: TAIL_LINES, secrets: options.secrets, onLine })
  const exited = ended(child).then((how) => `${how}${tail.text() === '' ? '' : `; its last lines:\n${tail.text()}`}`)

  const killNow = (): void => {
    child.kill('SIGKILL')
    killMarkedNow(own)
  }
  process.once('exit', killNow)

  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
    await killMarked(own, AbortSignal.timeout(options.killTimeoutMs))
    process.off('exit', killNow)
  }

  const stop = async (hurry?: AbortSignal): Promise<void> => {
    child.kill('SIGTERM')
    const grace = Promise.withResolvers<void>()
    const over = (): void => grace.resolve()
    const timer = setTimeout(over, hurry?.aborted ? 0 : options.stopGraceMs)
    hurry?.addEventListener('abort', over, { once: true })
    await Promise.race([exited, grace.promise])
    clearTimeout(timer)
    hurry?.removeEventListener('abort', over)
    await kill()
  }

  const deadline = AbortSignal.any([signal, AbortSignal.timeout(options.startTimeoutMs)])
  const givenUp = Promise.withResolvers<'late'>()
  const giveUp = (): void => givenUp.resolve('late')
  deadline.addEventListener('abort', giveUp, { once: true })
  try {
    const first = await Promise.race([
      listening.promise.then((url) => ({ url })),
      exited.then((reason) => ({ reason })),
      givenUp.promise,
    ])
    if (first === 'late') {
      await stop()
      signal.throwIfAborted()
      return { reason: `it was not ready within ${options.startTimeoutMs} ms; its last lines:\n${tail.text()}` }
    }
    if ('reason' in first) {
      process.off('exit', killNow)
      return first
    }
    return { url: first.url, pid: child.pid ?? 0, exited, stop, kill }
  } finally {
    deadline.removeEventListener('abort', giveUp)
  }
}

function splitEntry(entry: string): [string, string] {
  const at = entry.indexOf('=')
  return [entry.slice(0, at), entry.slice(at + 1)]
}

async function ended(child: ReturnType<typeof spawn>): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    return signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`
  } catch (error) {
    return `it could not be run: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** The engine tries port 4096 first when it is told 0, so a free one is found here; another may take it meanwhile. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}
