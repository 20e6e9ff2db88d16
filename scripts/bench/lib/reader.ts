import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from '../bench.ts'
import type { Summary } from './stats.ts'

export interface StreamReport {
  /** Streams that stand now. */
  open: number
  /** Ended by the server after a `complete`. */
  finished: number
  /** Ended in any other way. */
  failed: number
  events: number
  gaps: number
  duplicates: number
}

export type ToReader = { kind: 'read'; urls: readonly string[] } | { kind: 'report' }
export type FromReader = StreamReport & { latency: Summary }

/** A client with many streams, in a process of its own. */
export interface Reader {
  read(urls: readonly string[]): void
  report(): Promise<FromReader>
  /** The report once `wanted` is true of it. */
  until(wanted: (report: FromReader) => boolean): Promise<FromReader>
}

export function startReader({ after, signal }: BenchContext): Reader {
  const child = fork(new URL('./reader-process.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const send = (message: ToReader): void => void child.send(message)
  const report = async (): Promise<FromReader> => {
    const answer = once(child, 'message', { signal })
    send({ kind: 'report' })
    const [message] = (await answer) as [FromReader]
    return message
  }
  return {
    read: (urls) => send({ kind: 'read', urls }),
    report,
    async until(wanted) {
      for (;;) {
        const now = await report()
        if (wanted(now)) return now
        await sleep(250, undefined, { signal })
      }
    },
  }
}
