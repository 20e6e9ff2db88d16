import { ExecutorError } from '@opencode-gateway/contracts'
import type { Daemon } from '../daemon/daemon.ts'
import { postMortem } from './post-mortem.ts'

const LOG_LINES = 20

/** Why a container does not run, from what is left of it; or what one that runs has said. */
export async function examineContainer(daemon: Daemon, id: string, signal: AbortSignal): Promise<ExecutorError> {
  const facts = await daemon.inspect(id, signal)
  if (!facts) return postMortem(undefined)
  const log = await daemon.logTail(id, LOG_LINES, signal)
  if (facts.running) return new ExecutorError('EXECUTOR_UNAVAILABLE', `it runs, and has said so far:\n${log}`)
  return postMortem({ ...facts, log })
}
