import type { ModelOptions, NewRun, RunRow } from '@opencode-gateway/contracts'
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
  keyed: Pick<KeyedRuns, 'of'>
  renewModel: RenewModel | undefined
}

/** How a run that comes after this one calls its model, unless it says so itself; undefined: as the gateway does. */
export async function heritageOf(
  run: RunRow | undefined,
  { keyed, renewModel }: HeritageOptions,
): Promise<Heritage | undefined> {
  if (run?.input.kind !== 'prompt' || run.input.modelOptions === undefined) return undefined
  const { model, modelOptions } = run.input
  if (modelOptions.config && renewModel) return await renewModel(run.tenant, modelOptions)
  const modelKey = modelOptions.keyed ? await keyed.of(run) : undefined
  return {
    modelOptions,
    ...(model === undefined ? {} : { model }),
    ...(modelKey === undefined ? {} : { modelKey }),
  }
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
