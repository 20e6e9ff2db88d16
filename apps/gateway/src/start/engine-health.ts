import type { Executor, ExecutorHealth } from '@opencode-gateway/contracts'
import type { ExecutorStartup } from './executor-startup.ts'

export interface EngineHealthOptions {
  executor: Pick<Executor, 'check'>
  startup: () => ExecutorStartup
  /** Longest wait for the executor, milliseconds; a scrape has a deadline of its own. */
  deadlineMs?: number
}

/** How the executor is, in time whatever it does; undefined while it starts. Never throws. */
export async function engineHealth(options: EngineHealthOptions): Promise<ExecutorHealth | undefined> {
  const { executor, startup, deadlineMs = 2000 } = options
  const state = startup()
  if (state.status === 'starting') return undefined
  if (state.status === 'failed') return { ok: false, reason: state.reason }
  const late = new AbortController()
  const { promise: noAnswer, resolve } = Promise.withResolvers<ExecutorHealth>()
  const timer = setTimeout(() => {
    late.abort(new Error(`no answer within ${deadlineMs} ms`))
    resolve({ ok: false, reason: `no answer within ${deadlineMs} ms` })
  }, deadlineMs)
  try {
    return await Promise.race([executor.check(late.signal), noAnswer])
  } finally {
    clearTimeout(timer)
  }
}
