import { getCompileCacheDir } from 'node:module'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { GatewayError } from '@opencode-gateway/contracts'
import type { Job, JobResults } from './jobs.ts'
import type { SnapshotFailure } from './snapshot-error.ts'
import type { JobReply } from './thread-entry.ts'

const ENTRY = new URL('./thread-entry.ts', import.meta.url)

/**
 * Does a job in a thread of its own: calls that block are several times as fast as those that do not, and the memory
 * goes with the thread. It has ended when this settles, also after an abort.
 */
export async function runJob<K extends Job['kind']>(
  job: Extract<Job, { kind: K }>,
  signal: AbortSignal,
): Promise<JobResults[K]> {
  signal.throwIfAborted()
  const worker = new Worker(ENTRY, { workerData: job, name: `snapshot ${job.kind}`, env: compileCache() })
  const { promise, resolve, reject } = Promise.withResolvers<JobReply<JobResults[K]>>()
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new GatewayError('WORKSPACE_ERROR', 'The workspace could not be looked at.')))
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    const reply = await promise
    if ('result' in reply) return reply.result
    throw gatewayError(reply.failure)
  } finally {
    signal.removeEventListener('abort', abort)
    await worker.terminate()
  }
}

export const gatewayError = ({ code, message, retryable }: SnapshotFailure): GatewayError =>
  new GatewayError(code, message, { retryable })

/** A thread does not take over where compiled code is kept; reading it saves most of its start. */
function compileCache(): Record<string, string> {
  const directory = getCompileCacheDir()
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: path.dirname(directory) }
}
