import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'

export interface GitCall {
  args: readonly string[]
  environment: Readonly<Record<string, string>>
  /** Where git runs; never a workspace, unless its work tree is what the call is about. */
  cwd: string
  input?: string | Buffer
  signal: AbortSignal
  /** Called with each line of stderr, also those that end with a carriage return. */
  onLine?: (line: string) => void
}

export interface GitResult {
  exitCode: number
  stdout: Buffer
  /** Its last part. */
  stderr: string
}

const MAX_STDOUT_BYTES = 64 * 1024 * 1024
const MAX_STDERR_CHARS = 16 * 1024
const GRACE_MS = 2_000

/**
 * Runs `git`, without a shell, as a process group of its own, and settles when nothing of it runs any more. Whatever
 * exit code it has is a result; rejects with the signal's reason once that aborts.
 */
export async function runGit(call: GitCall): Promise<GitResult> {
  call.signal.throwIfAborted()
  const child = spawn('git', [...call.args], {
    cwd: call.cwd,
    env: { ...call.environment },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let failure: Error | undefined
  let killed: NodeJS.Timeout | undefined
  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, signal)
    } catch (error) {
      if (!isNoSuchProcess(error)) throw error
    }
  }
  const stop = (): void => {
    kill('SIGTERM')
    killed ??= setTimeout(() => kill('SIGKILL'), GRACE_MS)
  }
  const fail = (error: Error): void => {
    failure ??= error
    stop()
  }
  child.on('error', (error) => {
    failure ??= error
  })
  // git may exit without having read it all; its exit code tells why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(call.input ?? '')
  const stdout = gather(child.stdout, MAX_STDOUT_BYTES, () => fail(new Error('git wrote more than expected')))
  const stderr = tail(child.stderr, call.onLine)
  call.signal.addEventListener('abort', stop, { once: true })
  if (call.signal.aborted) stop()
  try {
    const [exitCode] = child.pid === undefined ? [127] : await once(child, 'close')
    // What is left of its group, a helper that does not listen for instance, goes with it.
    if (killed !== undefined) kill('SIGKILL')
    call.signal.throwIfAborted()
    if (failure !== undefined) throw failure
    return { exitCode: typeof exitCode === 'number' ? exitCode : 128, stdout: stdout(), stderr: stderr() }
  } finally {
    clearTimeout(killed)
    call.signal.removeEventListener('abort', stop)
  }
}

function gather(stream: Readable, maxBytes: number, onTooMuch: () => void): () => Buffer {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
    else onTooMuch()
  })
  return () => Buffer.concat(chunks)
}

function tail(stream: Readable, onLine: ((line: string) => void) | undefined): () => string {
  let kept = ''
  let line = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (line + text).split(/[\r\n]/)
    line = (lines.pop() ?? '').slice(-MAX_STDERR_CHARS)
    for (const whole of lines) {
      onLine?.(whole)
      if (!isProgress(whole)) kept = `${kept}${whole}\n`.slice(-MAX_STDERR_CHARS)
    }
  })
  return () => kept + line
}

function isProgress(line: string): boolean {
  return /^(?:remote: )?[A-Z][A-Za-z ]+: +\d+% \(/.test(line)
}

function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ESRCH'
}
