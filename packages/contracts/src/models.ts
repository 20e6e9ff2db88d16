import type { ErrorCode } from './errors.ts'
import type { ModelBudget } from './model-budget.ts'
import type { SharedBudget, SharedOwner, BudgetOwner } from './shared-budget.ts'
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
  /** What the engine's catalogue says of providers, by name: the prices of their models, unless they are known. */
  know(catalogue: Readonly<Record<string, unknown>>): void
  /** The session of the engine is gone; idempotent. */
  release(engineSessionId: string): void
}

/** A run is at a limit of a budget, and calls wait. */
export interface ReachedLimit {
  of: BudgetOwner
  /** "2026-11-21", UTC; of a budget for one day. */
  day?: string
  limit: keyof ModelBudget
  used: number
  budget: ModelBudget
  message: string
}

/** What a run asks of its models, besides what the engine asks of them. It is stored, and holds no secret. */
export interface ModelOptions {
  /** The engine's name of the provider that `model`, `endpoint` and the key are for. */
  provider: string
  /** What usage and prices call it, where that is not the engine's name: "provider/model". */
  name?: string
  /** What the provider is told instead of the engine's name of the model. */
  model?: string
  /** Base URL, in place of the provider's own; the provider's own key is not sent there. */
  endpoint?: string
  /** A key was given with the request, or with its `session`, or is of the configuration: without it nothing is called. */
  keyed?: true | 'session'
  /** The provider configuration that was used; `model` is what the request chose itself. */
  config?: { name: string; version: number; model?: string }
  temperature?: number
  /** Of one answer. */
  maxTokens?: number
  reasoningEffort?: string
  /** The tools that models are offered. */
  tools?: readonly string[]
}

/** The run that calls of a session are on account of. */
export interface ModelRun {
  runId: string
  sessionId: string
  tenant: string
  /** The API key that ordered it. */
  keyId?: string
  budget: ModelBudget
  /** It waits at its limits, and may be raised to this at its own; it is stopped there unless given. */
  raisableTo?: ModelBudget
  options?: ModelOptions
  /** It may have called models before: what is stored of it counts. */
  resumed?: true
}

/**
 * What the model proxy answers an engine when a provider cannot be reached and it is of no use to call again in this run.
 * Engines take such an answer for final; a later run may have more luck.
 */
export const providerUnreachedStatus = 424

/** Why the run may go on no longer. */
export interface ModelStop {
  code: Extract<ErrorCode, 'BUDGET_EXCEEDED' | 'MODEL_ERROR'>
  message: string
}

/** What one run uses of models. */
export interface ModelMeter {
  /** Of the run so far: every call, of sub-agents and for titles and summaries too. Undefined before the first one. */
  usage(): Usage | undefined
  /** From now on the run has this budget; the calls that waited for it go out. */
  raise(budget: ModelBudget): void
  /** A budget that the run shares; undefined where it has no limit, and of a day that is over. */
  shared(of: SharedOwner, day: string | undefined): SharedBudget | undefined
  /** From now on every call of the session is refused, and those under way are broken off. Settles when all is stored. */
  end(): Promise<void>
}

/** Keys that models are called with for runs, in memory. */
export interface RunKeys {
  /** Until the run is dropped. */
  keep(run: Pick<ModelRun, 'sessionId' | 'runId'>, key: string): void
  of(run: Pick<ModelRun, 'sessionId' | 'runId'>): string | undefined
  /** For all that comes in the session, until that is dropped. */
  keepForSession(sessionId: string, key: string): void
  ofSession(sessionId: string): string | undefined
  /** Forgets the key of a run, or all keys of a session; idempotent. */
  drop(of: { sessionId: string; runId?: string }): void
}

/** Tells the model proxy for which runs sessions work. */
export interface RunModels {
  readonly keys: RunKeys
  /**
   * From now on what the session calls for is on account of the run, until the meter's `end`. `onStop` is called at most
   * once. A run that is taken up again goes on from what is stored of it. Throws MODEL_AUTH when the run needs a key
   * that is not held.
   */
  begin(
    run: ModelRun,
    onStop: (why: ModelStop) => void,
    /**
     * Calls wait at a limit that can be raised, until it is or the meter ends; called when the first one begins to wait,
     * and with undefined when none waits any more, whoever has raised what. Without it the run is stopped.
     */
    onLimit?: (reached: ReachedLimit | undefined) => void,
  ): Promise<ModelMeter>
  /**
   * The session has a run that is being found again: until it begins, or the expectation is disposed of, its calls wait,
   * or are told to come again. Without it they are refused for good.
   */
  expect(sessionId: string): Disposable
}
