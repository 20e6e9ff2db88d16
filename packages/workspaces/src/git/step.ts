import { ExecutorError } from '@opencode-gateway/contracts'
import type { CallContext, ErrorCode, GitData, OnGit } from '@opencode-gateway/contracts'
import { scrub } from './failure.ts'

export interface GitStep {
  action: GitData['action']
  /** What a failure without a code of its own is, and a timeout. */
  code: ErrorCode
  timeoutMs: number
  /** For people. */
  url: string
  /** What must not appear in what is said of a failure. */
  secrets: readonly string[]
}

/** Runs one step within its time, and tells of its failure. An abort rejects with the reason of the caller's signal. */
export async function runStep<T>(
  step: GitStep,
  ctx: CallContext,
  onGit: OnGit,
  work: (ctx: CallContext) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(step.timeoutMs)
  try {
    return await work({ ...ctx, signal: AbortSignal.any([ctx.signal, deadline]) })
  } catch (error) {
    if (ctx.signal.aborted) {
      onGit({ action: step.action, state: 'failed', message: 'stopped' })
      throw ctx.signal.reason
    }
    const failure = asExecutorError(error, step, deadline.aborted)
    onGit({ action: step.action, state: 'failed', message: failure.message })
    throw failure
  }
}

function asExecutorError(error: unknown, step: GitStep, isLate: boolean): ExecutorError {
  if (isLate) {
    const text = `git took longer than ${step.timeoutMs} ms with the repository "${step.url}", which is the limit`
    return new ExecutorError(step.code, text, { retryable: true })
  }
  if (error instanceof ExecutorError) return error
  const text = scrub(error instanceof Error ? error.message : String(error), step.secrets)
  const isFull = /ENOSPC|EDQUOT|No space left|quota exceeded/i.test(text)
  return new ExecutorError(isFull ? 'WORKSPACE_FULL' : step.code, text)
}
