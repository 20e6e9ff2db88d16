/** Bounds of one engine's client. Times in milliseconds, sizes in characters unless the name says bytes. */
export interface EngineLimits {
  /** Every call but the one that runs a shell command. */
  callTimeoutMs: number
  connectTimeoutMs: number
  maxAnswerBytes: number
  /** Longest frame of the event stream. */
  maxFrame: number
  /** Events waiting per run; past it they are dropped and the engine's state is read instead. */
  maxQueued: number
  /** The engine's heartbeat comes every 10 s. */
  silenceTimeoutMs: number
  maxBackoffMs: number
  /** Without the event stream for so long, the engine counts as lost and its runs end. */
  lostAfterMs: number
  /** How often the state is read while no event comes. */
  watchMs: number
  /** How long an idle engine may take to write down the end of a run. */
  settleMs: number
  /** How long an abort may take; then an engine of ours is ended by force. */
  stopTimeoutMs: number
  /** A call that is under way when that time is over may still be answered. */
  lastCallMs: number
  /** Live output of one tool call. */
  maxToolOutput: number
  askTimeoutMs: number
  /** Output of a shell command, per stream. */
  maxShellOutputBytes: number
}

export const defaultLimits: EngineLimits = {
  callTimeoutMs: 30_000,
  connectTimeoutMs: 5_000,
  maxAnswerBytes: 64 * 1024 * 1024,
  maxFrame: 16 * 1024 * 1024,
  maxQueued: 8 * 1024 * 1024,
  silenceTimeoutMs: 30_000,
  maxBackoffMs: 5_000,
  lostAfterMs: 15_000,
  watchMs: 5_000,
  settleMs: 10_000,
  stopTimeoutMs: 6_000,
  lastCallMs: 500,
  maxToolOutput: 256 * 1024,
  askTimeoutMs: 300_000,
  maxShellOutputBytes: 1024 * 1024,
}
