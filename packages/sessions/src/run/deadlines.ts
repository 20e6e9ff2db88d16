import { longestTimerMs } from '../waiting/longest-timer.ts'

/** Times in milliseconds; `…At` since the epoch. */
export interface DeadlineState {
  startedAt: number
  lastEventAt: number
  /** Nobody is to blame for silence while an ask waits for its answer. */
  waiting: boolean
  wallMs: number
  idleMs: number
}

export type Expiry = 'run_timeout' | 'idle_timeout'

/** Which limit comes first, and how long until then; 0 when it has passed. */
export function nextDeadline(state: DeadlineState, now: number): { expiry: Expiry; inMs: number } {
  const wall = { expiry: 'run_timeout', inMs: Math.max(0, state.startedAt + state.wallMs - now) } as const
  if (state.waiting) return wall
  const idle = { expiry: 'idle_timeout', inMs: Math.max(0, state.lastEventAt + state.idleMs - now) } as const
  return idle.inMs < wall.inMs ? idle : wall
}

export interface Deadlines extends Disposable {
  /** An event came. */
  touch(): void
  /** An ask begins or stops to wait. */
  setWaiting(waiting: boolean): void
  /** Until the wall limit. */
  remainingMs(): number
}

/** Calls `onExpired` once, at the first limit that passes; one timer, whatever the number of events. */
export function startDeadlines(
  limits: { startedAt: number; wallMs: number; idleMs: number },
  onExpired: (expiry: Expiry) => void,
): Deadlines {
  const state: DeadlineState = { ...limits, lastEventAt: Date.now(), waiting: false }
  let timer: NodeJS.Timeout
  let over = false

  function arm(): void {
    const { expiry, inMs } = nextDeadline(state, Date.now())
    timer = setTimeout(
      () => {
        // Events since the timer was set only moved the limit: look again.
        if (nextDeadline(state, Date.now()).inMs > 0) arm()
        else onExpired(expiry)
      },
      Math.min(inMs, longestTimerMs),
    )
  }

  arm()
  return {
    touch() {
      state.lastEventAt = Date.now()
    },
    setWaiting(waiting) {
      if (over || waiting === state.waiting) return
      state.waiting = waiting
      state.lastEventAt = Date.now()
      clearTimeout(timer)
      arm()
    },
    remainingMs: () => Math.max(0, state.startedAt + state.wallMs - Date.now()),
    [Symbol.dispose]() {
      over = true
      clearTimeout(timer)
    },
  }
}
