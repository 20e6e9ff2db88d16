import { GatewayError, type ModelOptions, type NewRun, type RunRow } from '@opencode-gateway/contracts'
import type { KeyedRuns } from './run-keys.ts'
import type { RunOrder } from '../types.ts'

/** How a run calls its model. */
export interface Heritage {
  /** The engine's name of the model. */
  model?: string
  modelOptions?: ModelOptions
  modelKey?: string
}

/** What a provider configuration that a run used says now. Throws UNSUPPORTED_OPTION when it is gone. */
export type RenewModel = (tenant: string, options: ModelOptions) => Promise<Heritage>

export interface HeritageOptions {
  keyed: Pick<KeyedRuns, 'ofSession'>
  renewModel: RenewModel | undefined
}

/**
 * How a run that comes after this one calls its model, unless it says so itself; undefined: as the gateway does. Throws
 * UNSUPPORTED_OPTION when that was called with a key that is no longer there: the one of another is not used instead.
 */
export async function heritageOf(
  run: RunRow | undefined,
  { keyed, renewModel }: HeritageOptions,
): Promise<Heritage | undefined> {
  if (run?.input.kind !== 'prompt' || run.input.modelOptions === undefined) return undefined
  const { model, modelOptions } = run.input
  if (modelOptions.config && renewModel) return await renewModel(run.tenant, modelOptions)
  const modelKey = modelOptions.keyed === 'session' ? keyed.ofSession(run.sessionId) : undefined
  if (modelOptions.keyed && modelKey === undefined) throw keyGone(run)
  return {
    modelOptions,
    ...(model === undefined ? {} : { model }),
    ...(modelKey === undefined ? {} : { modelKey }),
  }
}

function keyGone({ sessionId }: RunRow): GatewayError {
  const why =
    'a key that comes with a message or a run ends with that run, and one that a session is made with is in memory until the gateway stops'
  const text = `The key that session "${sessionId}" last called its model with is no longer held: ${why}. Send "model_config" with the key again, or a "model" of the gateway.`
  const details = { field: 'model_config.api_key', reason: 'is no longer held' }
  return new GatewayError('UNSUPPORTED_OPTION', text, { details })
}

/** The order with the model of the session's latest prompt, if it asks for that. */
export async function inherited(
  order: RunOrder,
  latest: RunRow | undefined,
  options: HeritageOptions,
): Promise<RunOrder> {
  if (order.kind !== 'prompt' || order.inheritModel !== true) return order
  const heritage = await heritageOf(latest, options)
  if (!heritage) return order
  const { modelKey: _own, ...rest } = order
  return { ...rest, ...heritage }
}

/** The run again, with its model as it is now. */
export function renewed(run: NewRun, heritage: Heritage | undefined): NewRun {
  if (run.input.kind !== 'prompt' || !heritage) return run
  const { modelKey: _key, ...model } = heritage
  return { ...run, input: { ...run.input, ...model } }
}
