import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CancelReceipt } from '@opencode-gateway/contracts'
import type { EngineApi } from './engine-api.ts'
import type { EngineLimits } from './limits.ts'
import { listChildren } from './snapshot.ts'

/** Processes of a session that can be seen and ended from here. */
export interface SessionProcesses {
  find(): Promise<readonly number[]>
  /** Ends them by force; returns how many were still there. */
  kill(pids: readonly number[]): number
}

export interface StopOptions {
  api: EngineApi
  sessionId: string
  directory: string
  limits: Pick<EngineLimits, 'stopTimeoutMs'>
  processes: SessionProcesses | undefined
  /** False when only processes can be left of what an engine before began. */
  mayWork: boolean
}

const FIRST_POLL_MS = 10
const MAX_POLL_MS = 200
/** A process that was asked to end may take so long, or half of all the time there is. */
const FORCE_AFTER_MS = 750

/**
 * Stops a session and what works below it, and waits until the engine says that all are idle and no process is left.
 * `quiet` is false when that did not come true in time. The session itself comes first, and is told again while it
 * works: it takes the end of a sub-agent for an answer, and may go on with the next call of the model.
 */
export async function stopSession(
  { api, sessionId, directory, limits, processes, mayWork }: StopOptions,
  signal: AbortSignal,
): Promise<CancelReceipt & { quiet: boolean }> {
  const startedAt = performance.now()
  const told = new Set<string>()
  const killed = new Set<number>()
  let busy: ReadonlySet<string> = new Set([sessionId])
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, MAX_POLL_MS)) {
    const all = mayWork ? [sessionId, ...(await listChildren(api, sessionId, signal))] : []
    for (const id of all.filter((id) => busy.has(id) || !told.has(id))) {
      await api.abort(id, directory, signal)
      told.add(id)
    }
    if (mayWork) busy = new Set((await api.busy(directory, signal)).keys())
    const alive = (await processes?.find()) ?? []
    const elapsedMs = Math.round(performance.now() - startedAt)
    const quiet = alive.length === 0 && all.every((id) => !busy.has(id))
    if (quiet || elapsedMs >= limits.stopTimeoutMs) {
      const counts = { aborted_sessions: told.size, killed: killed.size, quiet_after_ms: elapsedMs }
      return { ...counts, escalated: killed.size > 0, quiet }
    }
    if (elapsedMs >= Math.min(FORCE_AFTER_MS, limits.stopTimeoutMs / 2) && alive.length > 0) {
      processes?.kill(alive)
      for (const pid of alive) killed.add(pid)
    }
    await sleep(pollMs, undefined, { signal })
  }
}
