import {
  errorCodes,
  errorTable,
  type CompleteData,
  type ErrorCode,
  type RunProblem,
  type RunResponse,
  type RunRow,
} from '@opencode-gateway/contracts'
import { problemOf } from '../http/problem.ts'

export interface RunAnswerContext {
  requestId: string
  /** Path of the request. */
  instance: string
  /** Milliseconds since the epoch. */
  at: number
  /** What a command wrote to its standard error. */
  stderr?: string
}

export type RunAnswer =
  | { success: true; status: 200; body: RunResponse }
  | { success: false; status: number; body: RunProblem; code: ErrorCode }

/** Code of a run that ended without saying why. */
const CODE_OF_OUTCOME: Readonly<Record<string, ErrorCode>> = {
  failed: 'RUN_FAILED',
  cancelled: 'RUN_CANCELLED',
  timed_out: 'RUN_TIMEOUT',
  interrupted: 'RUN_INTERRUPTED',
}

/** The answer to who waited for a run: what it says is what the run's `complete` event says. Throws before that. */
export function runAnswer(run: RunRow, context: RunAnswerContext): RunAnswer {
  const { complete } = run
  if (complete === undefined) throw new Error(`run "${run.runId}" has not ended`)
  const result = {
    output: complete.final_message,
    execution_time: `${(complete.timings.total_ms / 1000).toFixed(1)}s`,
    request_id: context.requestId,
    session_id: run.sessionId,
    run_id: run.runId,
    outcome: complete.outcome,
    ...(complete.structured === undefined ? {} : { structured: complete.structured }),
    ...(complete.exit_code === undefined ? {} : { exit_code: complete.exit_code }),
    ...(context.stderr === undefined ? {} : { stderr: context.stderr }),
    files_modified: complete.files_modified,
    ...deliveryOf(complete),
    usage: complete.usage,
    timings: complete.timings,
  }
  if (complete.success) return { success: true, status: 200, body: { success: true, error: null, ...result } }
  const { code, message, retryable } = complete.error ?? silent(complete.outcome)
  const known = errorCodes.find((candidate) => candidate === code) ?? 'RUN_FAILED'
  const problem = problemOf({ code: known, detail: message, retryable }, context)
  return {
    success: false,
    status: errorTable[known].status,
    code: known,
    body: { ...result, ...problem, success: false },
  }
}

const DELIVERED = ['branch', 'commit', 'base_commit', 'pushed', 'pull_request_url', 'workspace_kept'] as const

/** What a run in a repository left, as far as it came. */
function deliveryOf(complete: CompleteData): Pick<CompleteData, (typeof DELIVERED)[number]> {
  return Object.fromEntries(DELIVERED.flatMap((name) => (complete[name] === undefined ? [] : [[name, complete[name]]])))
}

function silent(outcome: string): { code: ErrorCode; message: string; retryable: boolean } {
  const code = CODE_OF_OUTCOME[outcome] ?? 'RUN_FAILED'
  return { code, message: `The run ended ${outcome}.`, retryable: errorTable[code].retryable }
}
