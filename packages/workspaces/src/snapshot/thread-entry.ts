import { parentPort, workerData } from 'node:worker_threads'
import { GatewayError, type ErrorCode } from '@opencode-gateway/contracts'
import { systemCode } from './held-directory.ts'
import { perform, type Job } from './jobs.ts'

/** How a job ended; an error of ours does not cross to another thread as what it is. */
export type JobReply<T> = { result: T } | { failure: { code: ErrorCode; message: string; retryable: boolean } }

const job: Job = workerData
const send: ((message: unknown) => void) | undefined = parentPort?.postMessage.bind(parentPort)
send?.(reply())

function reply(): JobReply<unknown> {
  try {
    return { result: perform(job) }
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

function failureOf(error: unknown): Extract<JobReply<unknown>, { failure: object }>['failure'] {
  if (error instanceof GatewayError) {
    const { code, message, retryable } = error
    return { code, message, retryable }
  }
  const system = systemCode(error)
  if (system === 'ENOSPC' || system === 'EDQUOT')
    return { code: 'WORKSPACE_FULL', message: 'There is no room for what the workspace holds.', retryable: false }
  const reason = system ?? (error instanceof Error ? error.message : String(error))
  return { code: 'WORKSPACE_ERROR', message: `The workspace cannot be looked at: ${reason}.`, retryable: true }
}
