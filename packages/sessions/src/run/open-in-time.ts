import { GatewayError, type AgentSession, type Log, type OnGit, type SessionRow } from '@opencode-gateway/contracts'
import { orGiveUp } from '../waiting/give-up.ts'
import { longestTimerMs } from '../waiting/longest-timer.ts'
import type { LiveSessions } from '../live-sessions.ts'
import type { RunStop } from './run-stop.ts'
import type { SessionsLimits } from '../options.ts'

export interface OpenInTimeOptions {
  session: SessionRow
  live: Pick<LiveSessions, 'obtain'>
  stop: Pick<RunStop, 'request' | 'opening' | 'working'>
  limits: Pick<SessionsLimits, 'startTimeoutMs' | 'cancelGraceMs'>
  /** Time limit of the run, milliseconds: the only one while the session waits for its turn to be started. */
  wallMs: number
  log: Log
  onGit: OnGit
  /** What is done beside it; the session is open when that is done, too. */
  beside(signal: AbortSignal): Promise<void>
}

/** Opens the session for a run, or stops the run when that takes longer than it may. Throws START_TIMEOUT. */
export async function openInTime(options: OpenInTimeOptions): Promise<AgentSession> {
  const { session, live, stop, limits, wallMs, log } = options
  const startLimit = (): NodeJS.Timeout =>
    setTimeout(() => stop.request({ kind: 'start_timeout' }), limits.startTimeoutMs)
  let limit = startLimit()
  let isOver = false
  const onGit: OnGit = (event) => {
    options.onGit(event)
    if (isOver) return
    // A large repository may take longer than an engine; whoever clones it has a limit of its own.
    clearTimeout(limit)
    if (event.state === 'done') limit = startLimit()
  }
  const onWaiting = (waiting: boolean): void => {
    if (isOver) return
    clearTimeout(limit)
    limit = waiting
      ? setTimeout(() => stop.request({ kind: 'run_timeout' }), Math.min(wallMs, longestTimerMs))
      : startLimit()
  }
  const signal = AbortSignal.any([stop.opening, stop.working])
  try {
    const [, opened] = await Promise.all([
      options.beside(signal),
      orGiveUp(live.obtain(session, { signal, log }, { onGit, onWaiting }), signal, limits.cancelGraceMs),
    ])
    if (opened !== 'given up') return opened
    throw new GatewayError('START_TIMEOUT', 'The executor did not stop opening the session.')
  } finally {
    isOver = true
    clearTimeout(limit)
  }
}
