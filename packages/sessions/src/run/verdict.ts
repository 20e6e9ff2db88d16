import {
  errorTable,
  type CancelReceipt,
  type CompleteData,
  type Delivered,
  type ErrorCode,
  type Outcome,
  type RunError,
  type Timings,
  type Usage,
} from '@opencode-gateway/contracts'
import type { DeliveryResult, Ending, Stop } from './ending.ts'

export interface VerdictInput {
  ending: Ending
  /** Of a run in a repository that completed. */
  delivery?: DeliveryResult | undefined
  stop: Stop | undefined
  /** The last ask was refused because its time was over. */
  askExpired?: boolean
  receipt: CancelReceipt | undefined
  limits: { wallMs: number; startMs: number; idleMs: number }
  /** What the run has used of models, where that was counted on the way. */
  usage?: Usage | undefined
  /** The prompt had been sent. */
  prompted: boolean
  filesModified: readonly string[]
  timings: Timings
  /** Why there is no outcome, where more is known than that. */
  interruptedBy?: string
}

export const noUsage: Usage = {
  tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
  cost_usd: null,
  model_calls: 0,
}

/** The one place that decides how a run ended. A proven completion stands, even when a stop was under way. */
export function decideComplete(input: VerdictInput): CompleteData {
  const { ending } = input
  const { outcome, error } = decideOutcome(input)
  const told = ending.kind === 'outcome' ? ending.outcome : undefined
  return {
    outcome,
    success: outcome === 'completed',
    final_message: bounded(told?.finalMessage ?? ''),
    ...(error === undefined ? {} : { error }),
    ...(told?.exitCode === undefined ? {} : { exit_code: told.exitCode }),
    ...(told?.structured === undefined ? {} : { structured: told.structured }),
    files_modified: [...input.filesModified],
    ...(input.delivery?.delivered === undefined ? {} : deliveredFields(input.delivery.delivered)),
    ...(input.delivery?.error === undefined || input.stop !== undefined ? {} : { workspace_kept: true as const }),
    usage: input.usage ?? told?.usage ?? noUsage,
    timings: input.timings,
    ...(told === undefined ? {} : { evidence: told.evidence }),
    ...(input.receipt === undefined ? {} : { receipt: input.receipt }),
    ...(outcome === 'interrupted' ? { side_effects: input.prompted ? 'possible' : 'none' } : {}),
  }
}

/** Longer answers are whole in the log; a run's row is read with every look at its session. Characters. */
const maxFinalMessage = 1_048_576

function bounded(text: string): string {
  return text.length <= maxFinalMessage ? text : `${text.slice(0, maxFinalMessage)}\n[cut off: the log has the rest]`
}

function deliveredFields({ branch, commit, baseCommit, pushed, pullRequestUrl }: Delivered) {
  return {
    branch,
    base_commit: baseCommit,
    ...(commit === undefined ? {} : { commit }),
    pushed,
    ...(pullRequestUrl === undefined ? {} : { pull_request_url: pullRequestUrl }),
  }
}

function decideOutcome(input: VerdictInput): { outcome: Outcome; error?: RunError } {
  const { ending, stop, delivery } = input
  if (delivery?.error) {
    if (stop) return stopped(stop, input.limits)
    const { code, message, retryable } = delivery.error
    return { outcome: 'failed', error: { code, message, retryable } }
  }
  if (ending.kind === 'outcome' && ending.outcome.status === 'completed') return { outcome: 'completed' }
  if (stop) return stopped(stop, input.limits)
  if (ending.kind === 'error') {
    const { code, message, retryable } = ending.error
    return { outcome: 'failed', error: { code, message, retryable } }
  }
  if (ending.kind === 'stopped') {
    return {
      outcome: 'interrupted',
      error: runError('RUN_INTERRUPTED', input.interruptedBy ?? 'The executor gave no outcome in time.'),
    }
  }
  const { status, error } = ending.outcome
  if (status === 'cancelled') {
    return {
      outcome: 'interrupted',
      error: runError('RUN_INTERRUPTED', 'The engine aborted the run; nobody here asked for it.'),
    }
  }
  if (input.askExpired === true && error?.code === 'AGENT_STOPPED')
    return timedOut('ASK_TIMEOUT', 'An ask was not answered in time and was refused; the agent stopped.')
  return {
    outcome: status === 'interrupted' ? 'interrupted' : 'failed',
    error: error ?? runError('RUN_FAILED', 'The run failed and the executor did not say why.'),
  }
}

function stopped(stop: Stop, limits: VerdictInput['limits']): { outcome: Outcome; error: RunError } {
  switch (stop.kind) {
    case 'cancel':
      return { outcome: 'cancelled', error: runError('RUN_CANCELLED', 'The run was cancelled.') }
    case 'run_timeout':
      return timedOut('RUN_TIMEOUT', `The run reached its time limit of ${limits.wallMs / 1000} s.`)
    case 'start_timeout':
      return timedOut('START_TIMEOUT', `The session was not open after ${limits.startMs / 1000} s.`)
    case 'idle_timeout':
      return timedOut('IDLE_TIMEOUT', `Nothing happened for ${limits.idleMs / 1000} s.`)
    case 'ask_timeout':
      return timedOut('ASK_TIMEOUT', 'An ask was not answered in time, and the agent did not take the refusal.')
    case 'model_loop':
      return failed('MODEL_LOOP', `The model was called ${stop.calls} times; a run may call it ${stop.limit} times.`)
    case 'model': {
      const error = runError(stop.code, stop.message)
      return { outcome: stop.code === 'BUDGET_EXCEEDED' ? 'budget_exceeded' : 'failed', error }
    }
    case 'workspace_full':
      return failed('WORKSPACE_FULL', stop.message)
    case 'provider_wait':
      return failed(
        'PROVIDER_RATE_LIMITED',
        `The model provider asks to wait ${Math.ceil(stop.waitMs / 1000)} s, longer than the run has left: ${stop.message}`,
      )
  }
}

function timedOut(code: ErrorCode, message: string): { outcome: Outcome; error: RunError } {
  return { outcome: 'timed_out', error: runError(code, message) }
}

function failed(code: ErrorCode, message: string): { outcome: Outcome; error: RunError } {
  return { outcome: 'failed', error: runError(code, message) }
}

function runError(code: ErrorCode, message: string): RunError {
  return { code, message, retryable: errorTable[code].retryable }
}
