import { setTimeout as sleep } from 'node:timers/promises'
import { ExecutorError, type CallContext, type Executor } from '@opencode-gateway/contracts'

export interface OutageOptions {
  executor: Pick<Executor, 'name' | 'check'>
  /** Aborted when there is nothing more to wait for; without it there is no end to the wait but that of the call. */
  patience?: AbortSignal
}

const firstPauseMs = 200
const maxPauseMs = 5_000
/**
 * Attempts that may fail while the executor says that it is well: after these it is the call that is wrong, not the
 * executor. They take longer than the executor's answer is cached.
 */
const attemptsWhenWell = 5

/**
 * Calls until the executor can be reached: one that is away says nothing of what it holds. Throws what the call threw
 * when that has another cause, or when patience is at an end.
 */
export async function throughOutage<T>(
  call: () => Promise<T>,
  { executor, patience }: OutageOptions,
  { signal, log }: CallContext,
): Promise<T> {
  let pauseMs = firstPauseMs
  for (let well = 0; ;) {
    try {
      return await call()
    } catch (err) {
      signal.throwIfAborted()
      if (!isAway(err)) throw err
      const { ok } = await executor.check(signal)
      well = ok ? well + 1 : 0
      if (well >= attemptsWhenWell || patience?.aborted) throw err
      log.warn({ executor: executor.name, err, retryInMs: pauseMs }, 'the executor cannot be reached; it is waited for')
    }
    const ended = patience ? AbortSignal.any([signal, patience]) : signal
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => signal.throwIfAborted())
    pauseMs = Math.min(2 * pauseMs, maxPauseMs)
  }
}

function isAway(err: unknown): boolean {
  return err instanceof ExecutorError && err.code === 'EXECUTOR_UNAVAILABLE' && err.retryable
}
