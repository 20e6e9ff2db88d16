import { errorTable, type ErrorCode, type RunOutcome } from '@opencode-gateway/contracts'
import type { RunOutput } from './run-output.ts'

export interface CompletedOptions {
  readonly finishReason?: string
  readonly exitCode?: number
  readonly structured?: unknown
}

export function completed(output: RunOutput, { finishReason, exitCode, structured }: CompletedOptions): RunOutcome {
  const proof = exitCode === undefined ? 'message_finished' : 'command_exited'
  const checks = [proof, 'session_idle', 'no_pending_ask', 'children_idle']
  return {
    status: 'completed',
    ...ending(output, checks, finishReason),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(structured === undefined ? {} : { structured }),
  }
}

export function failed(output: RunOutput, code: ErrorCode, message: string, finishReason?: string): RunOutcome {
  return { status: 'failed', ...ending(output, ['session_idle'], finishReason), error: problem(code, message) }
}

export function cancelled(output: RunOutput): RunOutcome {
  const error = problem('RUN_CANCELLED', 'The run was cancelled.')
  return { status: 'cancelled', ...ending(output, ['session_idle']), error }
}

export function interrupted(output: RunOutput, message: string): RunOutcome {
  return { status: 'interrupted', ...ending(output, []), error: problem('RUN_INTERRUPTED', message) }
}

function ending(output: RunOutput, checks: string[], finishReason?: string) {
  return {
    finalMessage: output.finalMessage(),
    usage: output.usage(),
    evidence: {
      ...(finishReason === undefined ? {} : { finish_reason: finishReason }),
      checks,
      checked_at: new Date().toISOString(),
    },
  }
}

function problem(code: ErrorCode, message: string): NonNullable<RunOutcome['error']> {
  return { code, message, retryable: errorTable[code].retryable }
}
