import { parentPort, workerData } from 'node:worker_threads'
import { systemCode } from './held-directory.ts'
import { perform, type Job } from './jobs.ts'
import { SnapshotError, type SnapshotFailure } from './snapshot-error.ts'

/** How a job ended. */
export type JobReply<T> = { result: T } | { failure: SnapshotFailure }

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

function failureOf(error: unknown): SnapshotFailure {
  if (error instanceof SnapshotError) return error.failure
  const system = systemCode(error)
  if (system === 'ENOSPC' || system === 'EDQUOT')
    return { code: 'WORKSPACE_FULL', message: 'There is no room for what the workspace holds.', retryable: false }
  const reason = system ?? (error instanceof Error ? error.message : String(error))
  return { code: 'WORKSPACE_ERROR', message: `The workspace cannot be looked at: ${reason}.`, retryable: true }
}
