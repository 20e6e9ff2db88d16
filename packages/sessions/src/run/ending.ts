import type { Delivered, GatewayError, ModelStop, RunOutcome } from '@opencode-gateway/contracts'

/** Why the gateway itself ended a run. */
export type Stop =
  | { kind: 'cancel' | 'run_timeout' | 'start_timeout' | 'idle_timeout' | 'ask_timeout' }
  | { kind: 'model_loop'; calls: number; limit: number }
  | { kind: 'provider_wait'; waitMs: number; message: string }
  | ({ kind: 'model' } & ModelStop)
  | { kind: 'workspace_full'; message: string }

/** How the work on a run came to its end. */
export type Ending =
  | { kind: 'outcome'; outcome: RunOutcome }
  /** It never reached the engine, or the executor broke. */
  | { kind: 'error'; error: GatewayError }
  /** Stopped before there was anything to ask for an outcome, or it gave none in time. */
  | { kind: 'stopped' }

/** What became of the work of a run in a repository. */
export interface DeliveryResult {
  delivered?: Delivered
  error?: GatewayError
}
