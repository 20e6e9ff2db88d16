import type { EngineClient } from '@opencode-gateway/opencode'

/** The use of an engine: it is not stopped for another one before the lease is given back. */
export interface EngineLease {
  readonly client: EngineClient
  /** Idempotent. */
  release(): void
}

/** Where the executor has its engine from. */
export interface EngineSource {
  readonly mode: 'embedded' | 'remote'
  /** Idempotent; also after it failed. Throws `ExecutorError` when there is no engine to work with. */
  start(signal: AbortSignal): Promise<void>
  /**
   * The engine for new work; waits while it is being started again. Another client than before means another engine:
   * sessions must be attached there. `directory`: where it is going to work.
   */
  acquire(signal: AbortSignal, directory?: string): Promise<EngineLease>
  /** The same at once, when this is still the engine for new work. */
  retain(client: EngineClient, directory: string): EngineLease | undefined
  version(): string | undefined
  vitals(): EngineVitals
  /** Entry in the environment of all the engine starts; undefined when its processes cannot be seen from here. */
  readonly mark: string | undefined
  /** When `hurry` aborts, what has not ended by then is ended by force. */
  close(hurry?: AbortSignal): Promise<void>
}

export interface EngineVitals {
  /** Engines that were started in the place of another. */
  restarts?: number
  rssBytes?: number
}
