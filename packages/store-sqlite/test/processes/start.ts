import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface RunningProcess extends AsyncDisposable {
  pid: number | undefined
  /** Lines of its standard output. */
  lines: AsyncIterableIterator<string>
  /** SIGKILL; settles when it is gone. */
  kill(): Promise<void>
}

export function startProcess(script: 'hold' | 'append-forever', file: string): RunningProcess {
  const path = fileURLToPath(new URL(`./${script}.ts`, import.meta.url))
  const child = spawn(process.execPath, [path, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  return {
    pid: child.pid,
    lines: createInterface(child.stdout)[Symbol.asyncIterator](),
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
