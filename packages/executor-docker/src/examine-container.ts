import type { ExecutorError } from '@opencode-gateway/contracts'
import type { Daemon } from './daemon.ts'
import { postMortem } from './post-mortem.ts'

const LOG_LINES = 20

/** Why a container does not run, from what is left of it. */
export async function examineContainer(daemon: Daemon, id: string, signal: AbortSignal): Promise<ExecutorError> {
  const facts = await daemon.inspect(id, signal)
  if (!facts) return postMortem(undefined)
  return postMortem({ ...facts, log: await daemon.logTail(id, LOG_LINES, signal) })
}
