import type { SessionEngineSource } from '@opencode-gateway/opencode'

/** Where the executor has its engine from. */
export interface EngineSource extends SessionEngineSource {
  readonly mode: 'embedded' | 'remote'
  /** Idempotent; also after it failed. Throws `ExecutorError` when there is no engine to work with. */
  start(signal: AbortSignal): Promise<void>
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
