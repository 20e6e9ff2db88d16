/** Where an engine finds a provider: an address of the model proxy, and a token in place of the provider's key. */
export interface ProviderAccess {
  baseURL: string
  apiKey: string
}

/** What the model proxy may ask an engine that it has let in. */
export interface AdmittedEngine {
  /** The session that the given one works for as a sub-agent; undefined when there is none, or no such session. */
  parentOf(engineSessionId: string, signal: AbortSignal): Promise<string | undefined>
}

export interface ModelAdmission {
  /** By name, every provider the engine may use. */
  readonly providers: Readonly<Record<string, ProviderAccess>>
  /** From now on the token opens nothing; idempotent. */
  end(): void
}

/** How the engines of an executor reach their models, and how it is known for whom a session of an engine works. */
export interface EngineModels {
  /** Lets an engine in, with a token of its own. */
  admit(engine: AdmittedEngine): ModelAdmission
  /** What is called for in this session of an engine, and in its sub-agents' ones, is on account of our session. */
  assign(engineSessionId: string, sessionId: string): void
  /** The session of the engine is gone; idempotent. */
  release(engineSessionId: string): void
}
