import type { ServerResponse } from 'node:http'
import { GatewayError, type RunRow } from '@opencode-gateway/contracts'
import type { Sessions } from '@opencode-gateway/sessions'
import { clientGone } from '../http/client-gone.ts'

export type Wait = { status: 'ended'; run: RunRow } | { status: 'still_working' } | { status: 'client_left' }

export interface AwaitRunOptions {
  sessions: Pick<Sessions, 'waitForRun'>
  run: RunRow
  response: ServerResponse
  /** Aborted when the gateway stops. */
  stopping: AbortSignal
  /** Longest wait in milliseconds; until the end of the run unless given. */
  waitMs?: number
}

/** Waits for a run on behalf of a client, as long as the client is there. Throws SHUTTING_DOWN when the gateway stops. */
export async function awaitRun({ sessions, run, response, stopping, waitMs }: AwaitRunOptions): Promise<Wait> {
  using gone = clientGone(response)
  const late = new AbortController()
  const timer = waitMs === undefined ? undefined : setTimeout(() => late.abort(), waitMs)
  try {
    const signal = AbortSignal.any([gone.signal, stopping, late.signal])
    return { status: 'ended', run: await sessions.waitForRun(run.runId, signal) }
  } catch (err) {
    if (gone.signal.aborted) return { status: 'client_left' }
    if (stopping.aborted) throw stoppedMeanwhile(run)
    if (late.signal.aborted) return { status: 'still_working' }
    throw err
  } finally {
    clearTimeout(timer)
  }
}

function stoppedMeanwhile({ runId, sessionId }: RunRow): GatewayError {
  return new GatewayError(
    'SHUTTING_DOWN',
    `The gateway stops while run "${runId}" works. Look at GET /sessions/${sessionId}/status when it is back.`,
  )
}
