import { Detached, ExecutorError } from '@opencode-gateway/contracts'
import type { AgentEvent, Log } from '@opencode-gateway/contracts'
import { asExecutorError, brokenOutcome } from './run-items.ts'

/** What a run does; `carryOut` sees to it that it ends as the contract says. */
export interface RunWork {
  /** Begins, and tells what happens to the outcome. */
  tell(signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined>
  /** True once the engine may work for it. */
  begun(): boolean
  /** Makes the engine stop, and settles when it has. */
  stop(signal: AbortSignal): Promise<void>
  /** After `stop`: tells what is left, to the outcome. */
  tellRest(signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined>
  /** Always comes last. */
  end(keep: boolean): Promise<void>
}

/**
 * Exactly one outcome, the last item – or none, when the caller let go with `Detached`. Whatever else ends the
 * iteration stops the engine first.
 */
export async function* carryOut(
  work: RunWork,
  { signal, log, stopTimeoutMs }: { signal: AbortSignal; log: Log; stopTimeoutMs: number },
): AsyncGenerator<AgentEvent, void, undefined> {
  let over = false
  const isDetached = (): boolean => signal.aborted && signal.reason instanceof Detached
  async function* through(
    events: AsyncIterable<AgentEvent> | Iterable<AgentEvent>,
  ): AsyncGenerator<AgentEvent, void, undefined> {
    for await (const event of events) {
      over ||= event.type === 'outcome'
      yield event
    }
  }
  const stop = async (): Promise<ExecutorError | undefined> => {
    try {
      if (work.begun()) await work.stop(AbortSignal.timeout(stopTimeoutMs))
      return undefined
    } catch (err) {
      log.error({ err }, 'the engine could not be made to stop')
      return asExecutorError(err)
    }
  }
  try {
    try {
      signal.throwIfAborted()
      yield* through(work.tell(signal))
    } catch (error) {
      if (isDetached()) return
      const unstopped = await stop()
      if (unstopped) yield* through([brokenOutcome('interrupted', unstopped)])
      else if (!signal.aborted) {
        log.warn({ err: error }, 'the run could not be followed')
        yield* through([brokenOutcome(work.begun() ? 'interrupted' : 'failed', asExecutorError(error))])
      } else if (work.begun()) yield* through(work.tellRest(AbortSignal.timeout(stopTimeoutMs)))
      else yield* through([cancelledOutcome()])
    }
  } catch (error) {
    yield* through([brokenOutcome('interrupted', asExecutorError(error))])
  } finally {
    if (!over && !isDetached()) await stop()
    await work.end(isDetached())
  }
}

export function cancelledOutcome(): AgentEvent {
  return brokenOutcome('cancelled', new ExecutorError('RUN_CANCELLED', 'the run was cancelled'))
}
