import type { AgentEvent, RunOutcome } from '@opencode-gateway/contracts'
import { ExecutorError } from '@opencode-gateway/contracts'
import { noUsage } from './run-view.ts'

/** The outcome of a run that the engine could not be asked about. */
export function brokenOutcome(
  status: RunOutcome['status'],
  error: ExecutorError,
  rest: Partial<Pick<RunOutcome, 'usage' | 'finalMessage'>> = {},
): AgentEvent {
  return {
    type: 'outcome',
    outcome: {
      status,
      finalMessage: rest.finalMessage ?? '',
      error: { code: error.code, message: error.message, retryable: error.retryable },
      usage: rest.usage ?? noUsage(),
      evidence: { checks: [], checked_at: new Date().toISOString() },
    },
  }
}

/** The engine is gone, and with it all that worked for the run: what was to be cancelled is. */
export function lostOutcome(
  error: ExecutorError,
  { cancelled, ...rest }: { cancelled: boolean } & Partial<Pick<RunOutcome, 'usage' | 'finalMessage'>>,
): AgentEvent {
  if (!cancelled) return brokenOutcome('interrupted', error, rest)
  return brokenOutcome('cancelled', new ExecutorError('RUN_CANCELLED', 'the run was cancelled'), rest)
}

/** Wraps what is not an error of ours, so that it can become an outcome. */
export function asExecutorError(error: unknown): ExecutorError {
  if (error instanceof ExecutorError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new ExecutorError('RUN_FAILED', `the run could not be carried out: ${message}`, { cause: error })
}
