import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError, type Executor, type Log } from '@opencode-gateway/contracts'

export type ExecutorStartup = { status: 'starting' } | { status: 'started' } | { status: 'failed'; reason: string }

export interface StartExecutorOptions {
  executor: Pick<Executor, 'name' | 'start'>
  log: Log
  signal: AbortSignal
  /** Told of every change. */
  onChange(startup: ExecutorStartup): void
  /** First wait before another attempt; doubles up to `maximumDelayMs`. */
  delayMs?: number
  maximumDelayMs?: number
}

/**
 * Starts the executor, again and again until it works, and settles then. Throws what cannot get better by trying again,
 * and the signal's reason.
 */
export async function startExecutor(options: StartExecutorOptions): Promise<void> {
  const { executor, log, signal, onChange, delayMs = 1000, maximumDelayMs = 30_000 } = options
  for (let waitMs = delayMs; ; waitMs = Math.min(waitMs * 2, maximumDelayMs)) {
    try {
      await executor.start(signal)
      onChange({ status: 'started' })
      return
    } catch (err) {
      signal.throwIfAborted()
      onChange({ status: 'failed', reason: err instanceof Error ? err.message : String(err) })
      if (err instanceof GatewayError && !err.retryable) throw err
      log.error({ err, executor: executor.name, retryInMs: waitMs }, 'the executor did not start and is tried again')
    }
    await sleep(waitMs, undefined, { signal })
  }
}

/** Throws EXECUTOR_UNAVAILABLE when the last attempt failed. While the first one is under way, runs may wait for it. */
export function requireExecutor(startup: ExecutorStartup): void {
  if (startup.status !== 'failed') return
  throw new GatewayError('EXECUTOR_UNAVAILABLE', `The executor did not start: ${startup.reason} It is tried again.`, {
    retryAfterMs: 10_000,
  })
}
