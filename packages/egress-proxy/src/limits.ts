/** What the proxy holds at most. */
export interface EgressLimits {
  /** Of one session at the same time. */
  maxConnections: number
  /** Of all sessions at the same time. */
  maxAllConnections: number
  /** From the name to a connection that stands. */
  connectTimeoutMs: number
  /** Without a byte in either direction. */
  idleTimeoutMs: number
  /** Of a request's head, which node bounds. */
  maxHeaderBytes: number
}

export const defaultEgressLimits: EgressLimits = {
  maxConnections: 64,
  maxAllConnections: 1024,
  connectTimeoutMs: 15_000,
  idleTimeoutMs: 300_000,
  maxHeaderBytes: 16 * 1024,
}
