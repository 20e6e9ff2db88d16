import type { ErrorCode } from './errors.ts'
import type { Usage } from './values.ts'

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

/** What a run, a session, or all that one key does on a day (UTC) may use. What is absent has no limit. */
export interface ModelBudget {
  /** Calls that were begun. */
  calls?: number
  /** Input and output of all kinds. */
  tokens?: number
  costUsd?: number
}

/** The run that calls of a session are on account of. */
export interface ModelRun {
  runId: string
  sessionId: string
  tenant: string
  budget: ModelBudget
}

/** Why the run may go on no longer. */
export interface ModelStop {
  code: Extract<ErrorCode, 'BUDGET_EXCEEDED' | 'MODEL_ERROR'>
  message: string
}

/** What one run uses of models. */
export interface ModelMeter {
  /** Of the run so far: every call, of sub-agents and for titles and summaries too. Undefined before the first one. */
  usage(): Usage | undefined
  /** From now on every call of the session is refused, and those under way are broken off. Settles when all is stored. */
  end(): Promise<void>
}

/** Tells the model proxy for which runs sessions work. */
export interface RunModels {
  /**
   * From now on what the session calls for is on account of the run, until the meter's `end`. `onStop` is called at most
   * once. A run that is taken up again goes on from what is stored of it.
   */
  begin(run: ModelRun, onStop: (why: ModelStop) => void): Promise<ModelMeter>
}
