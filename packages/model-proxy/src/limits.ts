export interface ProxyLimits {
  /** Largest request of an engine, bytes. */
  maxRequestBytes: number
  /** Longest answer of a provider, bytes. */
  maxAnswerBytes: number
  /** Until a connection to a provider stands, milliseconds. */
  connectTimeoutMs: number
  /** For how long a run that has not come through to a provider calls again, milliseconds. */
  unreachedPatienceMs: number
  /** Until a provider begins to answer, and between two pieces of its answer; milliseconds. */
  silenceTimeoutMs: number
  /** Until a provider that is checked has answered, milliseconds. */
  checkTimeoutMs: number
  /** Longest answer of one, bytes. */
  maxCheckBytes: number
  /** Of requests that wait until it is decided about a budget, together; bytes. */
  maxHeldBytes: number
  /** Connections to one provider at the same time. */
  maxConnections: number
}

export const defaultProxyLimits: ProxyLimits = {
  maxRequestBytes: 64 * 1024 ** 2,
  maxAnswerBytes: 64 * 1024 ** 2,
  connectTimeoutMs: 15_000,
  unreachedPatienceMs: 5_000,
  silenceTimeoutMs: 600_000,
  checkTimeoutMs: 15_000,
  maxCheckBytes: 8 * 1024 ** 2,
  maxHeldBytes: 256 * 1024 ** 2,
  maxConnections: 1_000,
}
